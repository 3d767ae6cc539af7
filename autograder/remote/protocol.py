"""Messages between a judge and a guest: data only, with limits on size and depth.

A message is a frame: two big-endian unsigned 32- and 64-bit lengths, a JSON header, then raw
buffers. Nothing is ever unpickled or evaluated. Values are scalars,
strings, bytes, lists, tuples, dicts, sets, arrays and tensors of known dtypes, random generators by
their state, Refs to objects that stay where they are, and Failures. `ProtocolError` names, in one
sentence, what was wrong with a message.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.plain import MAX_BITS, clean_line, clean_text, whole_characters

MAX_DEPTH = 40
MAX_HEADER = 8 * 2**20  # bytes of JSON
MAX_BODY = 512 * 2**20  # bytes of buffers
MAX_ARRAYS = 10_000
MAX_EMPTY = 2**24  # the sides of an empty array, multiplied: sums over one side have that size
MAX_KINDS = 40  # base classes of one exception
MAX_KEYS = 10_000  # of one set or dict: numbers can be chosen so that all of them collide

_PREFIX = struct.Struct("!IQ")
_NUMPY = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
}  # fmt: skip
_TORCH = {
    "bool", "int8", "int16", "int32", "int64", "uint8",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
}  # fmt: skip


# What is asked of the other side: a verb, and what it needs; see `autograder.remote.handles`.
Request = tuple[Any, ...]


@dataclass(frozen=True)
class Ref:
    """Names an object that stays where it lives; see `autograder.remote.handles`."""

    id: int
    kind: str = "object"  # "function", "class", "module" (torch.nn.Module) or "object"
    name: str = ""


@dataclass(frozen=True)
class Failure:
    """An exception of the student's code, as plain data.

    `line` is the line of the student's code it came from, `number` its number in the cell. `kinds`
    names the built-in exceptions that it is an instance of: a student's own subclass of ValueError
    is a ValueError. `out_of_time` says that the guest's alarm interrupted the code.
    """

    type: str
    message: str
    line: str = ""
    number: int = 0
    kinds: tuple[str, ...] = ()
    out_of_time: bool = False

    @property
    def not_attempted(self) -> bool:
        """Whether the exercise still raises what the course's stubs raise."""
        return "NotImplementedError" in self.kinds


class ReturnedNothing(Exception):
    """Raised beside the student's objects: a function ended without giving anything back."""


class OutOfTime(KeyboardInterrupt):
    """Raised in the student's code when a cell or a call has used up its time."""


class ProtocolError(Exception):
    """A message that breaks the rules of the protocol."""


def pack(value: Any, **extra: Any) -> bytes:
    """The frame of `value`; `extra` are plain JSON fields of the header (nonce, verb)."""
    buffers: list[bytes] = []
    body = _encode(value, buffers, 0)
    header = json.dumps(
        {"body": body, "sizes": [len(b) for b in buffers], **extra}, ensure_ascii=True
    ).encode("ascii")
    size = sum(len(b) for b in buffers)
    if len(header) > MAX_HEADER or size > MAX_BODY:
        raise ProtocolError(f"the answer is too large: {len(header) + size:,} bytes")
    return b"".join((_PREFIX.pack(len(header), size), header, *buffers))


def _encode(value: Any, buffers: list[bytes], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ProtocolError(f"the answer is nested more than {MAX_DEPTH} deep")
    kind = type(value)
    if value is None or kind in (bool, float, str):
        return value
    if kind is int and value.bit_length() > MAX_BITS:
        raise ProtocolError(f"an integer of more than {MAX_BITS:,} bits cannot be sent")
    if kind is int:
        return value if -(2**63) <= value < 2**63 else ["i", hex(value)]
    if kind in (set, dict) and len(value) > MAX_KEYS:
        raise ProtocolError(f"a {kind.__name__} of more than {MAX_KEYS:,} items cannot be sent")
    if kind in (list, tuple, set):
        return [kind.__name__[0] if kind is not tuple else "t"] + [
            _encode(v, buffers, depth + 1) for v in value
        ]
    if kind is dict:
        return ["d"] + [
            [_encode(k, buffers, depth + 1), _encode(v, buffers, depth + 1)]
            for k, v in value.items()
        ]
    if kind is Ref:
        return ["r", value.id, value.kind, value.name]
    if kind is Failure:
        kinds = list(value.kinds)
        return ["f", value.type, value.message, value.line, value.number, kinds, value.out_of_time]
    if kind is bytes:
        return ["b", _buffer(value, buffers)]
    if kind is complex:
        return ["c", value.real, value.imag]
    if isinstance(value, np.generic):
        return ["g", value.dtype.name, _buffer(np.asarray(value).tobytes(), buffers)]
    if isinstance(value, np.ndarray):
        native = np.ascontiguousarray(value.astype(value.dtype.newbyteorder("="), copy=False))
        if native.dtype.name not in _NUMPY:
            raise ProtocolError(f"an array of {native.dtype} cannot be sent")
        return ["a", native.dtype.name, list(value.shape), _buffer(native.tobytes(), buffers)]
    if isinstance(value, np.random.Generator):
        return ["N", _encode(value.bit_generator.state, buffers, depth + 1)]
    return _encode_torch(value, buffers)


def _encode_torch(value: Any, buffers: list[bytes]) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        tensor = value.detach().to("cpu").resolve_conj().resolve_neg().contiguous()
        dtype = str(tensor.dtype).removeprefix("torch.")
        if dtype not in _TORCH:
            raise ProtocolError(f"a tensor of {dtype} cannot be sent")
        # A side of length 1 may have any stride in a contiguous tensor: it is laid flat by hand.
        flat = tensor.as_strided((tensor.numel(),), (1,))
        raw = flat.view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        return ["T", dtype, list(tensor.shape), _buffer(raw, buffers)]
    if isinstance(value, torch.Generator):
        return ["G", _buffer(value.get_state().numpy().tobytes(), buffers)]
    raise ProtocolError(f"a {type(value).__name__} cannot be sent")


def _buffer(raw: bytes, buffers: list[bytes]) -> int:
    buffers.append(raw)
    return len(buffers) - 1


def unpack(header: bytes, body: bytes) -> tuple[Any, dict[str, Any]]:
    """The value of a frame and its header's extra fields; ProtocolError if it breaks a rule."""
    try:
        fields = json.loads(header)
        sizes = fields["sizes"]
        if not (
            isinstance(sizes, list)
            and len(sizes) <= MAX_ARRAYS
            and all(type(s) is int and s >= 0 for s in sizes)
        ):
            raise ProtocolError("a message lists sizes that are none")
        if sum(sizes) != len(body):
            raise ProtocolError("a message's buffers do not have the length that it says")
        buffers: list[bytes | None] = []
        at = 0
        for size in sizes:
            buffers.append(body[at : at + size])
            at += size
        value = _decode(fields["body"], buffers, 0)
    except ProtocolError:
        raise
    except RecursionError:
        raise ProtocolError("a message is nested too deep") from None
    except Exception as error:
        raise ProtocolError(f"a message cannot be read ({type(error).__name__})") from None
    return value, {k: v for k, v in fields.items() if k not in ("body", "sizes")}


def _decode(node: Any, buffers: list[bytes | None], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ProtocolError("a message is nested too deep")
    if node is None or type(node) in (bool, float):
        return node
    if type(node) is str:
        return whole_characters(node)
    if type(node) is int:
        return _bounded(node)
    if type(node) is not list or not node:
        raise ProtocolError("a message holds an unknown value")
    tag, *rest = node
    if tag in ("s", "d") and len(rest) > MAX_KEYS:
        raise ProtocolError(f"a message holds a set or dict of more than {MAX_KEYS:,} items")
    if tag in ("l", "t", "s"):
        values = [_decode(v, buffers, depth + 1) for v in rest]
        return values if tag == "l" else tuple(values) if tag == "t" else set(values)
    if tag == "d":
        return {_decode(k, buffers, depth + 1): _decode(v, buffers, depth + 1) for k, v in rest}
    if tag == "i":
        return _bounded(int(rest[0], 16))
    if tag == "r":
        number, kind, name = rest
        return Ref(_number(number), clean_line(kind, 20), clean_line(name, 100))
    if tag == "f":
        of, message, line, number, kinds, late = rest
        if type(kinds) is not list or len(kinds) > MAX_KINDS:
            raise ProtocolError("a message holds an exception of unknown kind")
        kinds = tuple(clean_line(kind, 100) for kind in kinds)
        text = clean_line(of, 100), clean_text(str(message)[:2_000])[:500], clean_line(line, 300)
        return Failure(*text, _number(number), kinds, late is True)
    if tag == "b":
        return _take(buffers, rest[0])
    if tag == "c":
        return complex(rest[0], rest[1])
    if tag == "g":
        raw = _known(_take(buffers, rest[1]), rest[0], [], _NUMPY)
        return np.frombuffer(raw, dtype=rest[0])[0]
    if tag == "a":
        dtype, shape, index = rest
        raw = _known(_take(buffers, index), dtype, shape, _NUMPY)
        return np.frombuffer(bytearray(raw), dtype=dtype).reshape(shape)
    if tag == "T":
        import torch

        dtype, shape, index = rest
        raw = _known(_take(buffers, index), dtype, shape, _TORCH)
        of = getattr(torch, dtype)
        if not raw:
            return torch.empty(shape, dtype=of)
        return torch.frombuffer(bytearray(raw), dtype=of).reshape(shape)
    if tag == "G":
        import torch

        generator = torch.Generator()
        state = bytearray(_take(buffers, rest[0]))
        generator.set_state(torch.frombuffer(state, dtype=torch.uint8))
        return generator
    if tag == "N":
        fields = _decode(rest[0], buffers, depth + 1)
        bits = getattr(np.random, _bit_generator(fields))()
        _check_position(fields)
        bits.state = fields
        return np.random.Generator(bits)
    raise ProtocolError("a message holds a value of unknown kind")


def _bounded(value: int) -> int:
    if value.bit_length() > MAX_BITS:
        raise ProtocolError(f"a message holds an integer of more than {MAX_BITS:,} bits")
    return value


def _number(value: Any) -> int:
    """The number of an object, or of a line of code."""
    if type(value) is not int or not 0 <= value < 2**31:
        raise ProtocolError("a message names an object or a line that cannot be")
    return value


def _bit_generator(state: Any) -> str:
    name = state["bit_generator"]
    if not isinstance(name, str) or name not in (
        "PCG64",
        "PCG64DXSM",
        "MT19937",
        "Philox",
        "SFC64",
    ):
        raise ProtocolError("a message holds an unknown random generator")
    return name


def _check_position(state: dict[str, Any]) -> None:
    """numpy takes a position in a generator's buffer as it is, and would read beyond its end."""
    inner = state["state"] if state["bit_generator"] == "MT19937" else state
    position, end = {
        "MT19937": (inner.get("pos"), 624),
        "Philox": (inner.get("buffer_pos"), 4),
    }.get(state["bit_generator"], (0, 0))
    if type(position) is not int or not 0 <= position <= end:
        raise ProtocolError("a message holds a random generator out of its bounds")


def _take(buffers: list[bytes | None], index: Any) -> bytes:
    """A buffer, once: a message that names one a thousand times is a thousand times as large."""
    raw = buffers[index] if type(index) is int and 0 <= index < len(buffers) else None
    if raw is None:
        raise ProtocolError("a message names a buffer that it does not have, or names it twice")
    buffers[index] = None
    return raw


def _known(raw: bytes, dtype: Any, shape: Any, known: set[str]) -> bytes:
    """`raw`, if its length is that of an array of `dtype` and `shape`."""
    if dtype not in known:
        raise ProtocolError(f"a message holds an array of unknown dtype {str(dtype)[:20]}")
    if not (
        isinstance(shape, list)
        and len(shape) <= 32
        and all(type(s) is int and 0 <= s < 2**40 for s in shape)
    ):
        raise ProtocolError("a message holds an array of impossible shape")
    item = 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
    if math.prod(shape) * item != len(raw):
        raise ProtocolError("a message holds an array whose shape and bytes disagree")
    if not raw and math.prod(max(s, 1) for s in shape) > MAX_EMPTY:
        raise ProtocolError("a message holds an empty array of impossible shape")
    if dtype == "bool" and raw.strip(b"\0\1"):
        raise ProtocolError("a message holds booleans other than true and false")
    return raw


def generators_in(value: Any) -> list[Any]:
    """The random generators among the arguments of a request, in the order of a walk."""
    if isinstance(value, np.random.Generator):
        return [value]
    if isinstance(value, list | tuple):
        return [g for v in value for g in generators_in(v)]
    if isinstance(value, dict):
        return [g for v in value.values() for g in generators_in(v)]
    return [value] if type(value).__name__ == "Generator" and hasattr(value, "get_state") else []


def send(connection: socket.socket, frame: bytes, deadline: float | None = None) -> None:
    """Sends a whole frame before `deadline` (time.monotonic seconds); TimeoutError past it."""
    view = memoryview(frame)
    while view:
        _arm(connection, deadline)
        view = view[connection.send(view[: 1 << 20]) :]


def receive(
    connection: socket.socket, deadline: float | None = None, max_body: int = MAX_BODY
) -> tuple[Any, dict[str, Any]]:
    """The next message; EOFError if the other side is gone, TimeoutError past `deadline`."""
    header_size, body_size = _PREFIX.unpack(_exactly(connection, _PREFIX.size, deadline))
    if header_size > MAX_HEADER or body_size > max_body:
        raise ProtocolError(
            f"a message says that it has {header_size + body_size:,} bytes: too many"
        )
    header = _exactly(connection, header_size, deadline)
    return unpack(header, _exactly(connection, body_size, deadline))


def _exactly(connection: socket.socket, count: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        _arm(connection, deadline)
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise EOFError("the other side has closed")
        parts += part
    return bytes(parts)


def _arm(connection: socket.socket, deadline: float | None) -> None:
    if deadline is None:
        connection.settimeout(None)
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    connection.settimeout(left)
