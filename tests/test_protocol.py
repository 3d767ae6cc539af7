"""The messages between judge and guest: what goes in comes out, and nothing else gets through."""

import json
import math
import socket

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograder.remote import protocol
from autograder.remote.protocol import Failure, Ref


def there_and_back(value):
    frame = protocol.pack(value)
    header, _ = protocol._PREFIX.unpack(frame[:12])
    return protocol.unpack(frame[12 : 12 + header], frame[12 + header :])[0]


def same(a, b):
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and (a == b or (a != a and b != b))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.complex_numbers(allow_nan=False)
)  # fmt: skip
arrays = npst.arrays(
    dtype=st.sampled_from(["bool", "int8", "int64", "float32", "float64", "complex128"]),
    shape=npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
data = st.recursive(
    scalars | arrays,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(data)
def test_plain_data_comes_back_with_type_dtype_and_shape(value):
    assert same(value, there_and_back(value))


@pytest.mark.parametrize("dtype", sorted(protocol._TORCH))
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)])
def test_tensors_come_back_with_dtype_and_shape(dtype, shape):
    tensor = torch.ones(shape).to(getattr(torch, dtype))
    back = there_and_back(tensor)
    assert back.dtype == tensor.dtype
    assert back.shape == tensor.shape
    assert torch.equal(back, tensor)


def test_a_view_is_sent_as_what_it_shows():
    tensor = torch.arange(6.0).reshape(2, 3).T
    assert torch.equal(there_and_back(tensor), tensor)


def test_generators_are_sent_by_their_state():
    ours, theirs = torch.Generator().manual_seed(5), np.random.default_rng(5)
    assert torch.equal(torch.rand(3, generator=there_and_back(ours)), torch.rand(3, generator=ours))
    assert there_and_back(theirs).random() == theirs.random()


def test_refs_and_failures_are_data():
    failure = Failure("Own", "no", "x = 1", 3, ("ValueError", "Exception"), True)
    assert there_and_back([Ref(3, "class", "MADE"), failure]) == [Ref(3, "class", "MADE"), failure]


@pytest.mark.parametrize("value", [object(), len, socket, {1: object()}, np.array([object()])])
def test_what_is_not_data_is_not_sent(value):
    with pytest.raises(protocol.ProtocolError):
        protocol.pack(value)


def frame_of(body, sizes=(), buffers=b""):
    return json.dumps({"body": body, "sizes": list(sizes)}).encode(), buffers


HOSTILE = {
    "not JSON": (b"{", b""),
    "not a message": (b"3", b""),
    "no body": (b'{"sizes": []}', b""),
    "an unknown tag": frame_of(["pickle", "x"]),
    "an empty node": frame_of([]),
    "an object": frame_of({"a": 1}),
    "a dtype that holds objects": frame_of(["a", "object", [1], 0], [8], b"8" * 8),
    "a dtype that is no name": frame_of(["a", ["float64"], [1], 0], [8], b"8" * 8),
    "a negative shape": frame_of(["a", "float64", [-1], 0], [8], b"8" * 8),
    "a shape larger than its bytes": frame_of(["a", "float64", [2**30, 2**30], 0], [8], b"8" * 8),
    "a shape of floats": frame_of(["T", "float32", [1.0], 0], [4], b"4" * 4),
    "a buffer that is not there": frame_of(["b", 7]),
    "sizes that do not add up": frame_of(["b", 0], [9], b"123"),
    "sizes that are negative": frame_of(["b", 0], [-3, 6], b"123"),
    "sizes that are booleans": frame_of(["b", 0], [True], b"1"),
    "a header nested too deep": (b'{"sizes": [], "body": ' + b"[" * 100_000, b""),
    "a value nested too deep": frame_of(json.loads('["l",' * 60 + "1" + "]" * 60)),
    "an exception of unknown kind": frame_of(["f", "E", "no", "", 0, "ValueError", False]),
    "an exception of too many kinds": frame_of(["f", "E", "no", "", 0, ["E"] * 41, False]),
    "an unhashable key": frame_of(["d", [["l"], 1]]),
    "a generator of a strange kind": frame_of(["N", ["d", ["bit_generator", "Generator"]]]),
    "a torch state that is none": frame_of(["G", 0], [3], b"abc"),
    "a buffer named twice": frame_of(["l", ["b", 0], ["b", 0]], [3], b"123"),
    "a buffer counted from the end": frame_of(["b", -1], [3], b"123"),
    "booleans other than 0 and 1": frame_of(["a", "bool", [2], 0], [2], b"\x02\x01"),
    "an empty array of a huge shape": frame_of(["a", "float64", [2**39, 0], 0], [0]),
    "a set of too many items": frame_of(["s", *range(20_000)]),
    "a generator out of its bounds": frame_of(
        [
            "N",
            [
                "d",
                ["bit_generator", "MT19937"],
                ["state", ["d", ["key", ["a", "uint32", [624], 0]], ["pos", 2**30]]],
            ],
        ],
        [2496],
        bytes(2496),
    ),
    "an integer of a million digits": (
        b'{"sizes": [], "body": ' + b"9" * 1_000_000 + b"}",
        b"",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_is_refused_in_one_sentence(name):
    header, body = HOSTILE[name]
    with pytest.raises(protocol.ProtocolError, match=r"^(a|the) .*[^.]$"):
        protocol.unpack(header, body)


def test_a_reply_that_says_it_is_huge_is_refused_before_it_is_read():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(protocol._PREFIX.pack(100, 2**50))
        with pytest.raises(protocol.ProtocolError, match="too many"):
            protocol.receive(ours)


def test_a_closed_connection_is_the_end_of_the_messages():
    ours, theirs = socket.socketpair()
    with ours:
        theirs.sendall(protocol.pack(1)[:5])
        theirs.close()
        with pytest.raises(EOFError):
            protocol.receive(ours)


def test_nan_and_infinity_cross():
    nan, inf = there_and_back([float("nan"), float("-inf")])
    assert math.isnan(nan)
    assert inf == -math.inf
