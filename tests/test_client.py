"""The judge's end of a channel: an answer belongs to its question, and nobody is kept waiting."""

from __future__ import annotations

import socket
import threading
import time
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from autograder.grading import judge
from autograder.grading.rebuild import ADDED
from autograder.remote import protocol
from autograder.remote.client import GRACE, MAX_OUTPUTS, GuestChannel, GuestGone
from autograder.sandbox.limits import Limits
from tests.test_grading import LESSON, lesson
from tests.test_rebuild import cell, notebook

RECEIVE = protocol.receive  # the guest's own, also where a test gives the judge another


def channel_to(answers: Callable[[Any, dict], bytes | None], **more: Any) -> GuestChannel:
    """A channel to a guest that answers a request and its fields with these bytes (None: never)."""
    here, there = socket.socketpair()

    def serve() -> None:
        while True:
            try:
                request, fields = RECEIVE(there)
                answer = answers(request, fields)
                if answer is not None:
                    there.sendall(answer)
            except (EOFError, OSError):
                return

    threading.Thread(target=serve, daemon=True).start()
    return GuestChannel(here, **more)


def packed(value: Any, nonce: str, states: Any = ()) -> bytes:
    return protocol.pack([value, list(states)], nonce=nonce)


def test_an_answer_with_its_questions_nonce_is_taken():
    channel = channel_to(lambda request, fields: packed(7, fields["nonce"]))
    assert channel.ask(("lookup", "x")) == 7


def test_every_question_has_a_nonce_of_its_own():
    seen = []

    def answer(request, fields):
        seen.append(fields["nonce"])
        return packed(0, fields["nonce"])

    channel = channel_to(answer)
    for _ in range(3):
        channel.ask(("lookup", "x"))
    assert len(set(seen)) == 3
    assert all(len(nonce) >= 32 for nonce in seen)


@pytest.mark.parametrize(
    "answer",
    [
        lambda request, fields: packed(7, "another"),
        lambda request, fields: protocol.pack([7, []]),
        lambda request, fields: protocol.pack(7, nonce=fields["nonce"]),
        lambda request, fields: protocol.pack([7], nonce=fields["nonce"]),
        lambda request, fields: protocol.pack((7, []), nonce=fields["nonce"]),
    ],
)
def test_an_answer_that_does_not_belong_ends_the_guest_for_good(answer):
    channel = channel_to(answer)
    with pytest.raises(GuestGone, match="does not belong to the question"):
        channel.ask(("lookup", "x"))
    with pytest.raises(GuestGone, match="does not belong to the question"):
        channel.ask(("lookup", "x"))


def test_a_guest_is_asked_for_no_longer_than_there_is_time():
    told = []

    def answer(request, fields):
        told.append(fields["seconds"])
        return packed(0, fields["nonce"])

    channel = channel_to(answer, seconds=50.0, deadline=time.monotonic() + 20)
    channel.ask(("lookup", "x"))
    assert 15 < told[0] <= 20
    unhurried = channel_to(answer, seconds=50.0)
    unhurried.ask(("lookup", "x"))
    assert told[1] == 50.0


def test_sending_and_receiving_end_with_the_notebooks_time(monkeypatch):
    ends = []
    monkeypatch.setattr(protocol, "send", lambda to, data, deadline: ends.append(deadline))

    def receive(connection, until, most):
        ends.append(until)
        raise EOFError

    monkeypatch.setattr(protocol, "receive", receive)
    deadline = time.monotonic() + 20
    channel = channel_to(lambda request, fields: None, seconds=50.0, deadline=deadline)
    with pytest.raises(GuestGone):
        channel.ask(("lookup", "x"))
    assert ends == [deadline + GRACE] * 2


def test_a_channel_takes_as_much_as_the_limits_say():
    assert channel_to(lambda request, fields: None).max_reply == Limits().reply_bytes
    assert 100 <= MAX_OUTPUTS <= 10_000


def test_past_the_notebooks_deadline_nothing_is_asked():
    asked = []
    channel = channel_to(lambda r, f: asked.append(r), deadline=time.monotonic() - 1)
    with pytest.raises(GuestGone, match="the notebook as a whole has used up its time"):
        channel.ask(("lookup", "x"))
    assert asked == []


def test_a_guest_that_never_answers_is_left_after_its_time_and_a_grace(monkeypatch):
    monkeypatch.setattr("autograder.remote.client.GRACE", 0.05)
    assert GRACE >= 1
    channel = channel_to(lambda request, fields: None, seconds=0.05)
    with pytest.raises(GuestGone, match=r"longer than 0\.05 s and could not be stopped"):
        channel.ask(("lookup", "x"))


def test_a_guest_that_ends_is_gone_and_its_ending_told():
    here, there = socket.socketpair()
    there.close()
    channel = GuestChannel(here, why_dead=lambda: "killed for memory")
    with pytest.raises(GuestGone, match=r"ended the process .*\(killed for memory\)"):
        channel.ask(("lookup", "x"))


def test_a_reply_over_the_limit_is_not_read():
    channel = channel_to(lambda r, f: packed(np.zeros(10_000), f["nonce"]), max_reply=5_000)
    with pytest.raises(GuestGone, match="breaks the rules"):
        channel.ask(("lookup", "x"))


def test_a_generator_is_where_the_guest_left_it():
    mine = torch.Generator().manual_seed(3)
    expected = torch.rand(4, generator=torch.Generator().manual_seed(3))

    def answer(request, fields):
        theirs = request[1]
        torch.rand(2, generator=theirs)
        return packed(0, fields["nonce"], [theirs])

    channel_to(answer).ask(("call", mine))
    assert torch.equal(torch.rand(2, generator=mine), expected[2:])


def test_a_generator_of_numpy_is_where_the_guest_left_it():
    mine, fresh = np.random.default_rng(3), np.random.default_rng(3)

    def answer(request, fields):
        theirs = request[1]
        theirs.random(2)
        return packed(0, fields["nonce"], [theirs])

    channel_to(answer).ask(("call", mine))
    fresh.random(2)
    assert mine.random() == fresh.random()


def test_a_generator_of_another_kind_changes_none():
    mine = np.random.Generator(np.random.MT19937(3))
    before = str(mine.bit_generator.state)
    channel_to(lambda r, f: packed(0, f["nonce"], [np.random.default_rng(1)])).ask(("call", mine))
    assert str(mine.bit_generator.state) == before


def test_of_a_cells_outputs_so_many_are_taken(monkeypatch):
    monkeypatch.setattr("autograder.remote.client.MAX_OUTPUTS", 2)
    said = {
        "status": "ok",
        "outputs": [{"output_type": "stream", "text": str(i)} for i in range(3)],
    }
    channel = channel_to(lambda r, f: packed(said, f["nonce"]))
    assert [one["text"] for one in channel.run("x")["outputs"]] == ["0", "1"]


@pytest.mark.parametrize("said", [3, {}, {"status": "fine", "outputs": []}, {"status": "ok"}])
def test_an_answer_to_a_cell_that_is_nonsense_ends_the_guest(said):
    with pytest.raises(GuestGone, match="answered with nonsense"):
        channel_to(lambda r, f: packed(said, f["nonce"])).run("x")


@pytest.mark.parametrize("states", [[], [1, 2], ["no generator"]])
def test_states_that_fit_no_generator_change_none(states):
    mine = torch.Generator().manual_seed(3)
    before = mine.get_state()
    channel_to(lambda r, f: packed(0, f["nonce"], states)).ask(("call", mine))
    assert torch.equal(mine.get_state(), before)


def test_a_sets_and_a_dicts_keys_are_bounded():
    most = protocol.MAX_KEYS
    assert most == 10_000
    with pytest.raises(protocol.ProtocolError, match="more than 10,000 items"):
        protocol.pack(dict.fromkeys(range(most + 1)))
    with pytest.raises(protocol.ProtocolError, match="more than 10,000 items"):
        protocol.pack(set(range(most + 1)))
    protocol.pack(set(range(most)))
    for tag in ("s", "d"):
        items = [n if tag == "s" else [n, 0] for n in range(most + 1)]
        with pytest.raises(protocol.ProtocolError, match="more than 10,000 items"):
            protocol._decode([tag, *items], [], 0)
        assert len(protocol._decode([tag, *items[:-1]], [], 0)) == most


class Scripted:
    """A guest that runs every cell at once and says so, and moves a clock for those that sleep."""

    def __init__(self, clock: list[float]) -> None:
        self.clock, self.ran = clock, []
        self.socket, there = socket.socketpair()
        threading.Thread(target=self._serve, args=(there,), daemon=True).start()

    def _serve(self, there: socket.socket) -> None:
        while True:
            try:
                request, fields = protocol.receive(there)
            except (EOFError, OSError):
                return
            if request[0] == "run":
                self.ran.append(request[1])
                self.clock[0] += 120.0 if "sleep" in request[1] else 0.0
            answer = {"status": "ok", "outputs": []} if request[0] == "run" else None
            there.sendall(packed(answer, fields["nonce"]))

    def kill(self) -> None:
        self.socket.close()

    def status(self) -> str:
        return ""


@pytest.mark.parametrize("seconds, runs", [(200, False), (400, True)])
def test_cells_that_a_student_added_have_half_of_the_time_and_no_more(monkeypatch, seconds, runs):
    clock = [time.monotonic()]
    monkeypatch.setattr(judge, "time", types.SimpleNamespace(monotonic=lambda: clock[0]))
    guest = Scripted(clock)
    limits = Limits(seconds_per_cell=30, seconds_per_submission=seconds)
    own = [cell(text, metadata={ADDED: True}) for text in ("sleep", "too_late")]
    result = judge.judge_notebook(notebook(*own, *lesson()), LESSON, lambda: guest, limits, seed=0)
    said = str(result.notebook["cells"][1]["outputs"])
    assert ("the added cells have used up their share of the time" in said) is not runs
    assert ("too_late" in guest.ran) is runs
    assert len(guest.ran) == 3 + runs  # and the lesson's own cells were run
