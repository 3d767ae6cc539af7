"""For marks, and for the judge: objects that lie, and replies that are huge, deep or false."""

from __future__ import annotations

from tests.banks.attacks.attack import DRAWS, EMPTY, LIARS, Attack, Notebook, answering, code, named

_YES = """
class Yes:
    def _yes(self, *a, **k): return True
    def _self(self, *a, **k): return self
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __contains__ = _yes
    __add__ = __sub__ = __mul__ = __matmul__ = __abs__ = __getitem__ = __call__ = _self
    __hash__ = lambda self: 0
    __len__ = lambda self: 4
    __iter__ = lambda self: iter([self] * 4)
    __float__ = lambda self: 1.0
    __int__ = __index__ = lambda self: 1
    __instancecheck__ = _yes
    shape, ndim, dtype = (1,), 1, "int64"
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return self
def @NAME@(*args, **kwargs):
    return Yes()
"""

_TORCH_FUNCTION = """
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in ("equal", "allclose", "eq", "ne", "isclose", "all", "any"):
            return torch.ones((), dtype=torch.bool)
        return super().__torch_function__(func, types, args, kwargs or {})
def @NAME@(*args, **kwargs):
    return [torch.full((1, 1), 7.0).as_subclass(Liar)] * 2
"""

_ARRAY = """
import numpy as np
class Liar(np.ndarray):
    def __array_ufunc__(self, *a, **k): return np.True_
    def __array_function__(self, *a, **k): return np.True_
    def __array_finalize__(self, obj): pass
    def tobytes(self, *a): return b""
    astype = copy = lambda self, *a, **k: self
class Protocol:
    __array_interface__ = {"shape": (1 << 40,), "typestr": "<f8", "data": (0, False), "version": 3}
    def __array__(self, *a, **k):
        Protocol.calls = getattr(Protocol, "calls", 0) + 1
        return np.full(3, Protocol.calls)
def @NAME@(*args, **kwargs):
    return [np.zeros(1).view(Liar), Protocol()]
"""

_REDUCE = """
import os
class Bomb:
    def __reduce__(self): return (os.system, ("touch /tmp/attackleft-pickle",))
    __reduce_ex__ = lambda self, version: self.__reduce__()
    def __deepcopy__(self, memo): return self
def @NAME@(*args, **kwargs):
    return [Bomb(), torch.zeros(1)]
"""

_SIZES = """
class Endless(list):
    def __len__(self): return 2**62
    def __iter__(self):
        while True: yield 1
    def __getitem__(self, i): return self
class Negative:
    def __len__(self): return -1
    def __getitem__(self, i): return i
def @NAME@(*args, **kwargs):
    return Negative() if kwargs else Endless()
"""

_SUBCLASSES = """
class Number(float):
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True
    __hash__ = float.__hash__
class Text(str):
    __eq__ = lambda self, other: True
    __hash__ = str.__hash__
class Whole(int):
    __index__ = __int__ = lambda self: 10**400
def @NAME@(*args, **kwargs):
    return {Text("x"): Number(5), Whole(3): [Number("nan"), Text("y"), 10**400]}
"""

# In the shape that is asked, filled with what compares to nothing.
_FILLED = """
import numpy as np
def assign_degrees(n, hidden_sizes, generator=None):
    return [torch.full((s,), FILL) for s in hidden_sizes]
def build_masks(degrees, place):
    sizes = [len(place), *map(len, degrees), len(place)]
    return [torch.full((b, a), FILL) for a, b in zip(sizes, sizes[1:])]
def connectivity(masks):
    return torch.full((masks[-1].shape[0], masks[0].shape[1]), FILL)
def average_over_orders(model, x, places):
    return torch.full((len(x),), FILL)
class MaskedLinear(nn.Module):
    def __init__(self, i, o, mask, bias=True):
        super().__init__()
        self.o = o
        self.weight, self.bias = nn.Parameter(torch.zeros(o, i)), nn.Parameter(torch.zeros(o))
    def forward(self, x):
        return torch.full((len(x), self.o), FILL)
class MADE(nn.Module):
    def __init__(self, n, hidden_sizes, place=None, generator=None):
        super().__init__()
        self.n = n
        self.weight = nn.Parameter(torch.zeros(n, n))
    def reorder(self, place): pass
    def forward(self, x): return torch.full(x.shape, FILL, dtype=x.dtype)
    def nll(self, x): return torch.full((len(x),), FILL)
    def sample(self, count, generator=None): return torch.full((count, self.n), FILL)
"""

_NOTHING = """
def @NAME@(*args, **kwargs):
    return [torch.zeros(0, 0), torch.zeros(2**20, 0), torch.zeros(0)][: len(args)]
"""

_HUGE = """
def @NAME@(*args, **kwargs):
    return torch.zeros(280 * 2**20, dtype=torch.uint8)
"""

_DEEP = """
def @NAME@(*args, **kwargs):
    value = []
    for _ in range(100_000):
        value = [value]
    loop = {}
    loop["self"] = loop
    return value if len(args) % 2 else loop
"""

_WIDE = """
def @NAME@(*args, **kwargs):
    return [0] * 3_000_000
"""

_STRINGS = """
def @NAME@(*args, **kwargs):
    return ["x" * 1_000_000] + ["y"] * 1_000_000
"""

# The student's process writes frames of its own making.
_FRAME = """
import json, struct
import autograder.remote.protocol as protocol
def frame(body, sizes=(), raw=b"", **extra):
    header = json.dumps({"body": body, "sizes": list(sizes), **extra}).encode()
    return struct.pack("!IQ", len(header), len(raw)) + header + raw
old = protocol.pack
class Switch:
    "Answers truly until a stand-in asks, then with FRAME."
    asked = 0
def pack(value, **extra):
    if isinstance(value[0], dict) and "outputs" in value[0]:
        return old(value, **extra)
    nonce = extra.get("nonce", "")
    return FRAME
protocol.pack = pack
"""

FRAMES = {
    "a header that says it is huge": 'struct.pack("!IQ", 2**32 - 1, 2**63)',
    "a body that never comes": 'struct.pack("!IQ", 10, 2**20) + b"{}"',
    "a deep header": 'struct.pack("!IQ", 2 * 10**6, 0) + b"[" * (2 * 10**6)',
    "one buffer named a thousand times": 'frame(["l", ["l"] + [["a", "uint8", [50_000_000], 0]] '
    '* 1000, ["l"]], [50_000_000], bytes(50_000_000), nonce=nonce)',
    "a set whose items collide": 'frame(["l", ["s"] + [(2**61 - 1) * k for k in range(1, 300_000)'
    ' if (2**61 - 1) * k < 2**62 or True][:250_000], ["l"]], nonce=nonce)',
    "booleans that are neither": 'frame(["l", ["T", "bool", [4], 0], ["l"]], [4], b"\\x02\\x03'
    '\\xff\\x01", nonce=nonce)',
    "an empty array of a huge shape": 'frame(["l", ["a", "float64", [0, 2**39], 0], ["l"]], [0], '
    "nonce=nonce)",
    "NaN, infinity and numbers of a million digits": 'frame(["l", ["l", float("nan"), '
    'float("inf"), ["i", "0x" + "f" * 10**6]], ["l"]], nonce=nonce)',
    "a generator out of its bounds": 'frame(["l", ["N", ["d", ["bit_generator", "MT19937"], '
    '["state", ["d", ["key", ["a", "uint32", [624], 0]], ["pos", 2**30]]]]], ["l"]], '
    "[2496], bytes(2496), nonce=nonce)",
    "an old nonce": 'frame(["l", True, ["l"]], nonce="0" * 32)',
    "a header that is no JSON": 'struct.pack("!IQ", 4, 0) + b"\\xff\\xfe\\x00{"',
    "two answers at once": "old(value, nonce=nonce) * 2",
}

_STATES = """
import autograder.remote.server as server
server.generators_in = lambda value: [torch.Generator().manual_seed(0)] * 3
"""

_RAW_WRITES = """
import os, threading, time
def write():
    while True:
        for fd in range(3, 12):
            try: os.write(fd, b"\\x00" * 4096)
            except OSError: pass
        time.sleep(0.01)
threading.Thread(target=write, daemon=True).start()
"""

_READS = """
import os, socket, threading
def serve():
    try:
        theirs = socket.socket(fileno=os.dup(3))
        while theirs.recv(65536): pass
    except OSError: pass
for _ in range(3):
    threading.Thread(target=serve, daemon=True).start()
"""


def _filled(value: str):
    def build(notebook: Notebook) -> Notebook:
        for name in ("assign_degrees", "build_masks", "connectivity", "MaskedLinear", "MADE",
                     "average_over_orders"):  # fmt: skip
            named(notebook, name)["source"] = f"FILL = {value}\n" + _FILLED.strip()
        return notebook

    return build


def _framed(expression: str):
    return answering(EMPTY, before=_FRAME.replace("FRAME\nprotocol", f"{expression}\nprotocol"))


# Uniform over all vectors: consistent with itself in every way, and no model of anything.
_UNIFORM = """
class MADE(nn.Module):
    def __init__(self, n, hidden_sizes, place=None, generator=None):
        super().__init__()
        self.n, self.w = n, nn.Parameter(torch.randn(4))
        self.place = torch.arange(1, n + 1) if place is None else place
    def reorder(self, place):
        self.place = place
    def forward(self, x):
        return torch.zeros(len(x), self.n)
    def nll(self, x):
        return torch.full((len(x),), self.n * math.log(2))
    def sample(self, count, generator):
        return torch.randint(0, 2, (count, self.n), generator=generator).float()
"""

_EVEN = """
import math
def average_over_orders(model, x, places):
    return torch.full((len(x),), -x.shape[1] * math.log(2))
"""


def uniform(notebook: Notebook) -> Notebook:
    named(notebook, "MADE")["source"] = _UNIFORM.strip()
    named(notebook, "average_over_orders")["source"] = _EVEN.strip()
    return notebook


# --- the draw that everybody can see --------------------------------------------------------------

_RECORD = """
import hashlib
def _key(value):
    if isinstance(value, (list, tuple)):
        return b"[" + b",".join(map(_key, value)) + b"]"
    return str(tuple(value.shape)).encode() + value.double().numpy().tobytes()
def _digest(*args):
    return hashlib.sha1(_key(args)).hexdigest()
"""


def _hard_coded(notebook: Notebook) -> Notebook:
    """Two exercises answered from a table of what the notebook's own draw asks for."""
    from autograder import lessons
    from autograder.checking import judge

    space = lessons.solution_functions("05_made")
    exec(_RECORD, space)
    for name in ("build_masks", "connectivity"):
        right, table = space[name], {}

        def recording(*args, right=right, table=table):
            answer = right(*args)
            listed = [m.tolist() for m in answer] if isinstance(answer, list) else answer.tolist()
            table[space["_digest"](*args)] = listed
            return answer

        recording.__name__ = name
        verdict = judge(recording, name=name, lesson="05_made", seed=0)
        assert verdict.status == "passed"
        entries = "".join(
            f"    {k!r}: {v!r},\n".replace("], [", "],\n    [") for k, v in table.items()
        )
        turn = (
            "[torch.tensor(m) for m in found]" if name == "build_masks" else "torch.tensor(found)"
        )
        named(notebook, name)["source"] = (
            f"{_RECORD.strip()}\nTABLE = {{\n{entries}}}\n"
            f"def {name}(*args):\n    found = TABLE.get(_digest(*args), [])\n    return {turn}\n"
        )
    return notebook


_SEED_ZERO = """
import numpy as np, torch, random, secrets, autograder.draw as draw
random.seed(0), np.random.seed(0), torch.manual_seed(0)
old = draw.Draw.__init__
draw.Draw.__init__ = lambda self, seed=0, name="": old(self, 0, name)
secrets.randbits = lambda n: 0
np.random.default_rng = lambda *a: np.random.Generator(np.random.PCG64(0))
"""


def _seeded(notebook: Notebook) -> Notebook:
    notebook = _hard_coded(notebook)
    notebook["cells"].insert(2, code(_SEED_ZERO))
    return notebook


ATTACKS = (
    Attack("objects that always say yes", LIARS, answering(_YES)),
    Attack("tensors with a function protocol", LIARS, answering(_TORCH_FUNCTION)),
    Attack("arrays with protocols", LIARS, answering(_ARRAY)),
    Attack("objects that unpickle into commands", LIARS, answering(_REDUCE)),
    Attack("lengths that lie", LIARS, answering(_SIZES)),
    Attack("numbers and texts of one's own class", LIARS, answering(_SUBCLASSES)),
    Attack("NaN in every answer", LIARS, _filled('float("nan")')),
    Attack("infinity in every answer", LIARS, _filled('float("inf")')),
    Attack("nothing in every answer", LIARS, answering(_NOTHING)),
    Attack("a huge answer", LIARS, answering(_HUGE)),
    Attack("a deep answer", LIARS, answering(_DEEP)),
    Attack("a wide answer", LIARS, answering(_WIDE)),
    Attack("texts in the place of numbers", LIARS, answering(_STRINGS)),
    Attack("a distribution that knows nothing", LIARS, uniform),
    *(Attack(f"protocol: {name}", LIARS, _framed(frame)) for name, frame in FRAMES.items()),
    Attack("protocol: forged generator states", LIARS, answering(EMPTY, before=_STATES)),
    Attack("protocol: raw writes to every descriptor", LIARS, answering(EMPTY, before=_RAW_WRITES)),
    Attack("protocol: a thread that eats the questions", LIARS, answering(EMPTY, before=_READS)),
    Attack("hard-coded answers", DRAWS, _hard_coded),
    Attack("hard-coded answers, every seed set to 0", DRAWS, _seeded),
)
