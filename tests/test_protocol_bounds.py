"""What stands in a message, byte for byte, and where its bounds are: both sides of each."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

import numpy as np
import pytest
import torch

from autograder.remote import protocol
from autograder.remote.protocol import Failure, ProtocolError, Ref


def frame_of(body: Any, *buffers: bytes, **extra: Any) -> tuple[bytes, bytes]:
    """Header and body of a message with this body and these buffers."""
    fields = {"body": body, "sizes": [len(b) for b in buffers], **extra}
    return json.dumps(fields).encode(), b"".join(buffers)


def read(body: Any, *buffers: bytes) -> Any:
    """The value that a message with this body and these buffers holds."""
    return protocol.unpack(*frame_of(body, *buffers))[0]


def refused(body: Any, *buffers: bytes) -> str:
    """The sentence with which such a message is refused."""
    with pytest.raises(ProtocolError) as why:
        read(body, *buffers)
    return str(why.value)


def not_sent(value: Any) -> str:
    """The sentence with which a value is not sent."""
    with pytest.raises(ProtocolError) as why:
        protocol.pack(value)
    return str(why.value)


def parts_of(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """The header's fields and the buffers of a frame whose two lengths are true."""
    header, size = struct.unpack("!IQ", frame[:12])
    assert len(frame) == 12 + header + size
    return json.loads(frame[12 : 12 + header]), frame[12 + header :]


# --- values, as they stand in a message -----------------------------------------------------------

FAILURE = Failure("Own", "no", "x = 1", 3, ("ValueError",), True)
SENT: list[tuple[Any, Any, bytes]] = [
    (None, None, b""),
    (True, True, b""),
    (1.5, 1.5, b""),
    ("x", "x", b""),
    (2**63 - 1, 2**63 - 1, b""),
    (-(2**63), -(2**63), b""),
    (2**63, ["i", hex(2**63)], b""),
    (-(2**63) - 1, ["i", hex(-(2**63) - 1)], b""),
    ([1, [2]], ["l", 1, ["l", 2]], b""),
    ((1, 2), ["t", 1, 2], b""),
    ({3}, ["s", 3], b""),
    ({"k": [1]}, ["d", ["k", ["l", 1]]], b""),
    (Ref(3, "class", "MADE"), ["r", 3, "class", "MADE"], b""),
    (FAILURE, ["f", "Own", "no", "x = 1", 3, ["ValueError"], True], b""),
    (b"xy", ["b", 0], b"xy"),
    (2 - 3j, ["c", 2.0, -3.0], b""),
    (np.float32(1), ["g", "float32", 0], struct.pack("=f", 1)),
    ([b"xy", b"z"], ["l", ["b", 0], ["b", 1]], b"xyz"),
    (np.array([[1, 2]], "int16"), ["a", "int16", [1, 2], 0], struct.pack("=2h", 1, 2)),
    (np.array([1, 2], ">i2"), ["a", "int16", [2], 0], struct.pack("=2h", 1, 2)),
    (np.arange(4, dtype="uint8")[::2], ["a", "uint8", [2], 0], b"\0\2"),
    (torch.arange(4.0)[1::3], ["T", "float32", [1], 0], struct.pack("=f", 1)),
    (torch.arange(6.0).view(2, 3)[:, 1:2], ["T", "float32", [2, 1], 0], struct.pack("=2f", 1, 4)),
    (torch.tensor([[1, 2]], dtype=torch.int16), ["T", "int16", [1, 2], 0], b"\1\0\2\0"),
    (torch.tensor(1, dtype=torch.uint8), ["T", "uint8", [], 0], b"\1"),
    (torch.zeros(2, 0), ["T", "float32", [2, 0], 0], b""),
    (torch.tensor([1 + 2j]).conj(), ["T", "complex64", [1], 0], struct.pack("=2f", 1, -2)),
    (torch.tensor([1 + 2j]).conj().imag, ["T", "float32", [1], 0], struct.pack("=f", -2)),
    (torch.ones(1, requires_grad=True), ["T", "float32", [1], 0], struct.pack("=f", 1)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "body", "buffers"), SENT)
def test_a_value_stands_in_a_message_like_this(value: Any, body: Any, buffers: bytes):
    fields, sent = parts_of(protocol.pack(value, nonce=7))
    assert fields.pop("nonce") == 7
    assert (fields.pop("body"), sent) == (body, buffers)
    assert sum(fields.pop("sizes")) == len(buffers)
    assert fields == {}


def test_the_header_is_ascii_and_gives_each_buffers_size():
    frame = protocol.pack(["ä", b"xy", b"", b"z"])
    assert frame[12:-3].isascii()
    assert parts_of(frame)[0]["sizes"] == [2, 0, 1]


def test_a_message_is_read_with_its_other_fields_and_without_its_own():
    value, extra = protocol.unpack(*frame_of(["l", ["b", 1], ["b", 0]], b"xy", b"z", nonce=7))
    assert (value, extra) == ([b"z", b"xy"], {"nonce": 7})


@pytest.mark.parametrize("at", range(17))
def test_what_is_read_is_what_was_sent(at: int):
    value, body, buffers = SENT[at]
    back = read(body, *([buffers] if buffers else []))
    assert (type(back), back) == (type(value), value)


def test_arrays_and_tensors_that_are_read_can_be_written_to():
    array = read(["a", "int16", [1, 2], 0], struct.pack("=2h", 1, 2))
    array += 1
    assert (array.tolist(), array.dtype) == ([[2, 3]], np.int16)
    tensor = read(["T", "int16", [2, 1], 0], struct.pack("=2h", 1, 2))
    tensor += 1
    assert (tensor.tolist(), tensor.dtype) == ([[2], [3]], torch.int16)
    half = read(["T", "bfloat16", [1], 0], b"\x80\x3f")
    assert (half.item(), half.dtype) == (1.0, torch.bfloat16)
    empty = read(["T", "int64", [2, 0], 0], b"")
    assert (tuple(empty.shape), empty.dtype) == ((2, 0), torch.int64)
    number = read(["g", "uint8", 0], b"\7")
    assert (number, type(number)) == (7, np.uint8)


def test_text_of_a_guest_is_whole_and_bounded():
    assert read("half \ud800") == "half ?"
    long = "x" * 3_000
    assert read(["r", 0, long, long]) == Ref(0, "x" * 20, "x" * 100)
    told = read(["f", long, long, long, 0, [long] * 40, 1])
    assert told == Failure("x" * 100, "x" * 500, "x" * 300, 0, ("x" * 100,) * 40, False)
    assert read(["f", "E", "\x1b" * 1_999 + "xy", "", 0, [], True]) == Failure(
        "E", "x", out_of_time=True
    )
    assert read(["f", "E", 3, "", 0, [], True]).message == "3"


def test_an_exercise_is_not_attempted_where_its_stub_was_met():
    assert Failure("Own", "", kinds=("NotImplementedError",)).not_attempted
    assert not Failure("NotImplementedError", "").not_attempted


# --- bounds ---------------------------------------------------------------------------------------


def test_the_bounds_are_these():
    names = ("DEPTH", "HEADER", "BODY", "ARRAYS", "EMPTY", "KINDS", "KEYS")
    assert [getattr(protocol, f"MAX_{name}") for name in names] == [
        40, 8_388_608, 536_870_912, 10_000, 16_777_216, 40, 10_000
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "body", "deeper", "deeper_body"),
    [
        ([[1]], ["l", ["l", 1]], [[[1]]], ["l", ["l", ["l", 1]]]),
        (((1,),), ["t", ["t", 1]], (((1,),),), ["t", ["t", ["t", 1]]]),
        ({1: [2]}, ["d", [1, ["l", 2]]], {1: [[2]]}, ["d", [1, ["l", ["l", 2]]]]),
        ({(1,): 2}, ["d", [["t", 1], 2]], {((1,),): 2}, ["d", [["t", ["t", 1]], 2]]),
        ({(1,)}, ["s", ["t", 1]], {((1,),)}, ["s", ["t", ["t", 1]]]),
    ],
)
def test_values_nest_to_the_bound_and_no_deeper(value, body, deeper, deeper_body, monkeypatch):
    monkeypatch.setattr(protocol, "MAX_DEPTH", 2)
    assert parts_of(protocol.pack(value))[0]["body"] == body
    assert read(body) == value
    assert not_sent(deeper) == "the answer is nested more than 2 deep"
    assert refused(deeper_body) == "a message is nested too deep"


def test_a_generators_state_counts_as_deeper(monkeypatch):
    generator = np.random.default_rng(5)
    fields, buffers = parts_of(protocol.pack([generator]))
    monkeypatch.setattr(protocol, "MAX_DEPTH", 4)  # list, generator, state, its state, numbers
    assert protocol.unpack(*frame_of(fields["body"]))[0][0].random() == generator.random()
    assert parts_of(protocol.pack([generator]))[1] == buffers == b""
    monkeypatch.setattr(protocol, "MAX_DEPTH", 3)
    assert not_sent([generator]) == "the answer is nested more than 3 deep"
    assert refused(fields["body"]) == "a message is nested too deep"


def test_sets_and_dicts_have_the_most_items_and_no_more(monkeypatch):
    monkeypatch.setattr(protocol, "MAX_KEYS", 2)
    for kind, tag in (("set", "s"), ("dict", "d")):
        two, three = (dict.fromkeys(range(n)) for n in (2, 3))
        two, three = (set(v) if kind == "set" else v for v in (two, three))
        body = parts_of(protocol.pack(two))[0]["body"]
        assert (body[0], len(body), read(body)) == (tag, 3, two)
        assert not_sent(three) == f"a {kind} of more than 2 items cannot be sent"
        assert refused([*body, body[-1]]) == ("a message holds a set or dict of more than 2 items")
    assert read(parts_of(protocol.pack([1, 2, 3]))[0]["body"]) == [1, 2, 3]


def test_integers_have_the_most_bits_and_no_more():
    most = 2**protocol.MAX_BITS - 1
    for value in (most, -most):
        assert read(["i", hex(value)]) == read(value) == value
        assert parts_of(protocol.pack(value))[0]["body"] == ["i", hex(value)]
    bits = f"{protocol.MAX_BITS:,}"
    assert not_sent(most + 1) == f"an integer of more than {bits} bits cannot be sent"
    said = f"a message holds an integer of more than {bits} bits"
    assert refused(["i", hex(most + 1)]) == refused(most + 1) == said


def test_an_answer_is_as_large_as_the_bounds_and_no_larger(monkeypatch):
    length = len(protocol.pack(b"xyz")) - 12 - 3
    monkeypatch.setattr(protocol, "MAX_HEADER", length)
    monkeypatch.setattr(protocol, "MAX_BODY", 3)
    assert read(["b", 0], b"xyz") == b"xyz"
    assert parts_of(protocol.pack(b"xyz"))[1] == b"xyz"
    assert not_sent(b"wxyz") == f"the answer is too large: {length + 4} bytes"
    monkeypatch.setattr(protocol, "MAX_HEADER", length - 1)
    assert not_sent(b"xyz") == f"the answer is too large: {length + 3} bytes"
    monkeypatch.setattr(protocol, "MAX_HEADER", 1)
    assert not_sent("x" * 1_100).startswith("the answer is too large: 1,1")


def test_a_message_lists_sizes_of_the_most_buffers_and_no_more(monkeypatch):
    monkeypatch.setattr(protocol, "MAX_ARRAYS", 2)
    assert read(["b", 1], b"", b"x") == b"x"
    none = "a message lists sizes that are none"
    assert refused(["b", 1], b"", b"x", b"") == none
    for sizes in ([-1, 2], [True], [1.0], "1", {"1": 1}, None):
        with pytest.raises(ProtocolError) as why:
            protocol.unpack(json.dumps({"body": 1, "sizes": sizes}).encode(), b"x")
        assert str(why.value) == none
    for sizes in ([], [2], [0, 2]):
        with pytest.raises(ProtocolError) as why:
            protocol.unpack(json.dumps({"body": 1, "sizes": sizes}).encode(), b"x")
        assert str(why.value) == "a message's buffers do not have the length that it says"


NO_BUFFER = "a message names a buffer that it does not have, or names it twice"
NO_SHAPE = "a message holds an array of impossible shape"
UNEQUAL = "a message holds an array whose shape and bytes disagree"
EMPTY = "a message holds an empty array of impossible shape"
NO_NUMBER = "a message names an object or a line that cannot be"
NO_KIND = "a message holds an exception of unknown kind"
REFUSED: list[tuple[Any, tuple[bytes, ...], str]] = [
    ([], (), "a message holds an unknown value"),
    ({"a": 1}, (), "a message holds an unknown value"),
    (["x"], (), "a message holds a value of unknown kind"),
    ([1], (), "a message holds a value of unknown kind"),
    (["i", "x"], (), "a message cannot be read (ValueError)"),
    (["i"], (), "a message cannot be read (IndexError)"),
    (["d", [["l"], 1]], (), "a message cannot be read (TypeError)"),
    (["r", -1, "", ""], (), NO_NUMBER),
    (["r", 2**31, "", ""], (), NO_NUMBER),
    (["r", True, "", ""], (), NO_NUMBER),
    (["r", 1.0, "", ""], (), NO_NUMBER),
    (["f", "E", "", "", -1, [], False], (), NO_NUMBER),
    (["f", "E", "", "", 0, "E", False], (), NO_KIND),
    (["f", "E", "", "", 0, ["E"] * 41, False], (), NO_KIND),
    (["b", 1], (b"x",), NO_BUFFER),
    (["b", -1], (b"x",), NO_BUFFER),
    (["b", False], (b"x",), NO_BUFFER),
    (["l", ["b", 0], ["b", 0]], (b"x",), NO_BUFFER),
    (["a", "object", [1], 0], (bytes(8),), "a message holds an array of unknown dtype object"),
    (["a", "x" * 30, [1], 0], (b"x",), "a message holds an array of unknown dtype " + "x" * 20),
    (["a", "bfloat16", [1], 0], (b"xx",), "a message holds an array of unknown dtype bfloat16"),
    (["T", "uint64", [1], 0], (bytes(8),), "a message holds an array of unknown dtype uint64"),
    (["g", "object", 0], (bytes(8),), "a message holds an array of unknown dtype object"),
    (["a", "uint8", {"1": 1}, 0], (b"x",), NO_SHAPE),
    (["a", "uint8", [1] * 33, 0], (b"x",), NO_SHAPE),
    (["a", "uint8", [True], 0], (b"x",), NO_SHAPE),
    (["a", "uint8", [-1, -1], 0], (b"x",), NO_SHAPE),
    (["a", "uint8", [2**40, 0], 0], (b"",), NO_SHAPE),
    (["a", "uint8", [2], 0], (b"x",), UNEQUAL),
    (["a", "int16", [1], 0], (b"x",), UNEQUAL),
    (["a", "int16", [2], 0], (b"x",), UNEQUAL),
    (["T", "bfloat16", [1], 0], (b"x",), UNEQUAL),
    (["g", "int16", 0], (b"xxxx",), UNEQUAL),
    (["a", "uint8", [2**24, 2, 0], 0], (b"",), EMPTY),
    (["a", "uint8", [0, 2**24 + 1], 0], (b"",), EMPTY),
    (["a", "bool", [3], 0], (b"\0\1\2",), "a message holds booleans other than true and false"),
    (["N", ["d", ["bit_generator", "Generator"]]], (),
     "a message holds an unknown random generator"),
    (["N", ["d", ["bit_generator", 3]]], (), "a message holds an unknown random generator"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "buffers", "said"), REFUSED)
def test_a_message_is_refused_for_its_own_reason(body: Any, buffers: Any, said: str):
    assert refused(body, *buffers) == said


def test_what_is_just_within_the_bounds_is_read():
    most = 2**31 - 1
    assert read(["r", most, "class", "X"]).id == most
    assert read(["f", "E", "", "", most, ["E"] * 40, False]).number == most
    assert read(["a", "uint8", [1] * 32, 0], b"x").shape == (1,) * 32
    assert read(["a", "uint8", [2**24, 0], 0], b"").shape == (2**24, 0)
    assert read(["T", "uint8", [0, 2**24], 0], b"").shape == (0, 2**24)
    assert read(["a", "bool", [2], 0], b"\0\1").tolist() == [False, True]
    assert read(["a", "uint8", [2], 0], b"\2\3").tolist() == [2, 3]
    assert read(["b", 0], b"x") == b"x"


def test_of_a_value_only_its_own_parts_are_read():
    assert read(["i", "0x10", "0x20"]) == 16
    assert read(["b", 0, 1], b"x", b"y") == b"x"
    assert read(["c", 1, 2, 3]) == 1 + 2j
    assert read(["g", "uint8", 0, 1], b"\7", b"\5") == 7
    state = np.random.default_rng(5).bit_generator.state
    body = parts_of(protocol.pack(state))[0]["body"]
    assert read(["N", body, 3]).random() == np.random.default_rng(5).random()
    ours = torch.Generator().manual_seed(5)
    raw = ours.get_state().numpy().tobytes()
    assert read(["G", 0, 1], raw, b"").initial_seed() == 5


def test_what_breaks_the_form_of_a_message_is_told():
    for header, said in (
        (b"{", "a message cannot be read (JSONDecodeError)"),
        (b"3", "a message cannot be read (TypeError)"),
        (b'{"sizes": []}', "a message cannot be read (KeyError)"),
        (b'{"sizes": [], "body": ' + b"[" * 100_000, "a message is nested too deep"),
    ):
        with pytest.raises(ProtocolError) as why:
            protocol.unpack(header, b"")
        assert str(why.value) == said


def test_what_is_no_data_is_named():
    assert not_sent(np.array([object()])) == "an array of object cannot be sent"
    assert not_sent(np.zeros(1, "longdouble")).startswith("an array of ")
    assert not_sent(torch.zeros(1, dtype=torch.float8_e5m2)) == (
        "a tensor of float8_e5m2 cannot be sent"
    )
    assert not_sent(object()) == "a object cannot be sent"
    assert not_sent([1, {2: len}]) == "a builtin_function_or_method cannot be sent"


# --- random generators ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "within", "name", "end"),
    [("MT19937", "state", "pos", 624), ("Philox", "", "buffer_pos", 4)],
)
def test_a_generators_position_is_inside_its_buffer(kind: str, within: str, name: str, end: int):
    state = getattr(np.random, kind)(5).state
    inner = state[within] if within else state

    def back(position: Any) -> Any:
        inner[name] = position
        fields, buffers = parts_of(protocol.pack(state))
        sizes, body = fields["sizes"], ["N", fields["body"]]
        return protocol.unpack(json.dumps({"body": body, "sizes": sizes}).encode(), buffers)[0]

    for position in (0, end):
        assert back(position).bit_generator.state["bit_generator"] == kind
        assert back(position).random() >= 0
    for position in (-1, end + 1, True, None, 1.0):
        with pytest.raises(ProtocolError, match=r"^a message holds a random generator out of its"):
            back(position)


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_each_kind_of_generator_goes_on_where_it_was(kind: str):
    ours = np.random.Generator(getattr(np.random, kind)(5))
    ours.random(3)
    fields, buffers = parts_of(protocol.pack(ours))
    theirs, _ = protocol.unpack(json.dumps(fields).encode(), buffers)
    assert theirs.random(700).tolist() == ours.random(700).tolist()


def test_torchs_generator_goes_on_where_it_was():
    ours = torch.Generator().manual_seed(5)
    torch.rand(3, generator=ours)
    fields, buffers = parts_of(protocol.pack(ours))
    assert fields["body"] == ["G", 0]
    theirs, _ = protocol.unpack(json.dumps(fields).encode(), buffers)
    assert torch.equal(torch.rand(3, generator=theirs), torch.rand(3, generator=ours))


def test_generators_are_found_in_the_order_of_a_walk():
    class Generator:
        """No generator: nothing of it can be sent."""

    a, b, c, d = (np.random.default_rng(n) for n in range(4))
    t = torch.Generator()
    value = ["x", a, (b, {"k": [t, c], d: 1}), Generator(), 3, {d}]
    found = protocol.generators_in(value)
    assert [id(g) for g in found] == [id(g) for g in (a, b, t, c)]
    assert protocol.generators_in(Generator()) == protocol.generators_in(torch.zeros(2)) == []


# --- sending and receiving ------------------------------------------------------------------------


class Line:
    """One end of a connection that takes and gives a few bytes at a time."""

    def __init__(self, given: bytes = b"", at_once: int = 3) -> None:
        self.given, self.at_once, self.sent = given, at_once, b""
        self.asked: list[int] = []
        self.armed: list[float | None] = []

    def settimeout(self, seconds: float | None) -> None:
        self.armed.append(seconds)

    def send(self, view: memoryview) -> int:
        self.asked.append(len(view))
        self.sent += bytes(view[: self.at_once])
        return min(len(view), self.at_once)

    def recv(self, count: int) -> bytes:
        self.asked.append(count)
        part, self.given = (
            self.given[: min(count, self.at_once)],
            self.given[min(count, self.at_once) :],
        )
        return part


def test_a_frame_is_sent_whole_in_as_many_parts_as_it_takes():
    line = Line()
    protocol.send(line, b"12345678")
    assert (line.sent, line.asked) == (b"12345678", [8, 5, 2])
    assert line.armed == [None, None, None]
    large = Line(at_once=2**30)
    protocol.send(large, bytes(2**20 + 5))
    assert large.asked == [2**20, 5]


def test_a_frame_is_received_whole_and_nothing_behind_it():
    line = Line(protocol.pack([b"xyz"], nonce=4) + b"more")
    assert protocol.receive(line) == ([b"xyz"], {"nonce": 4})
    assert line.given == b"more"
    assert line.asked[:4] == [12, 9, 6, 3]
    assert set(line.armed) == {None}
    large = Line(protocol.pack(bytes(2**20 + 5)), 2**30)
    assert protocol.receive(large)[0] == bytes(2**20 + 5)
    assert large.asked[-2:] == [2**20, 5]


def test_lengths_are_bounded_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(protocol, "MAX_HEADER", 1_000)
    for header, body in ((1_001, 0), (0, 501)):
        line = Line(struct.pack("!IQ", header, body))
        with pytest.raises(ProtocolError) as why:
            protocol.receive(line, None, 500)
        assert str(why.value) == f"a message says that it has {header + body:,} bytes: too many"
    fits = protocol.pack(b"x" * 500)
    monkeypatch.setattr(protocol, "MAX_HEADER", len(fits) - 12 - 500)
    assert protocol.receive(Line(fits), None, 500)[0] == b"x" * 500


def test_a_connection_that_ends_is_told_as_its_end():
    with pytest.raises(EOFError, match=r"^the other side has closed$"):
        protocol.receive(Line(protocol.pack(1)[:-1]))


def test_a_deadline_bounds_each_part(monkeypatch):
    now = iter([10.0, 11.0, 12.0, 13.0, 14.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    line = Line()
    protocol.send(line, b"1234567", 14.0)
    assert line.armed == [4.0, 3.0, 2.0]
    protocol._arm(line, 13.5)
    with pytest.raises(TimeoutError, match=r"^the deadline has passed$"):
        protocol._arm(line, 14.0)
    monkeypatch.setattr(time, "monotonic", lambda: 20.0)
    for told in (protocol.receive, lambda c, d: protocol.send(c, b"x", d)):
        with pytest.raises(TimeoutError, match=r"^the deadline has passed$"):
            told(Line(protocol.pack(1)), 20.0)


def test_a_message_crosses_a_real_connection():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        protocol.send(ours, protocol.pack([1, b"x"], verb="v"), time.monotonic() + 60)
        assert protocol.receive(theirs, time.monotonic() + 60) == ([1, b"x"], {"verb": "v"})
