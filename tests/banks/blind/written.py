"""Blind answers that somebody had to think of: see `tests.banks.blind`."""

from __future__ import annotations

from autograder import lessons
from autograder.steps import exercise_of
from tests.banks.blind import Blind


def blind(what: str, lesson: str, exercise: str, text: str, **more: str) -> Blind:
    """An answer to `exercise`; `more` are the texts of other exercises that it builds on."""
    return Blind(what, lesson, exercise, {exercise_of(exercise): text, **more})


# --- dice -----------------------------------------------------------------------------------------

_COINS = "torch.bernoulli(torch.full(({}), 0.5), generator=generator)"

DICE = (
    blind("a die", "02_chain_rule", "sample", """
def sample(conditionals, count, rng):
    return rng.integers(0, len(conditionals[0]), size=(count, len(conditionals)))
"""),
    blind("uniform rows", "02_chain_rule", "conditionals", """
def conditionals(joint):
    return [np.full(joint.shape[: i + 1], 1 / joint.shape[i]) for i in range(joint.ndim)]
"""),
    blind("the uniform joint", "02_chain_rule", "joint", """
def joint(conditionals):
    return np.full(conditionals[-1].shape, 1 / conditionals[-1].size)
"""),
    blind("fair coins", "03_fvsbn", "sample", f"""
def sample(weight, bias, count, generator=None):
    return {_COINS.format("count, len(bias)")}
"""),
    blind("fair coins after the prefix", "03_fvsbn", "complete", f"""
def complete(prefix, weight, bias, generator=None):
    rest = {_COINS.format("len(prefix), len(bias) - prefix.shape[1]")}
    return torch.cat([prefix, rest], dim=1)
"""),
    blind("zeros after the prefix", "03_fvsbn", "complete", """
def complete(prefix, weight, bias, generator=None):
    return torch.cat([prefix, torch.zeros(len(prefix), len(bias) - prefix.shape[1])], dim=1)
"""),
    blind("n log 2 for all", "03_fvsbn", "nll", """
def nll(x, weight, bias):
    return torch.full((len(x),), len(bias) * math.log(2))
"""),
    blind("fair coins", "04_nade", "sample", f"""
def sample(W, c, V, b, count, generator=None):
    return {_COINS.format("count, len(b)")}
"""),
    *(
        blind(f"everything is {value}", "04_nade", "autoencoder_dependencies", f"""
def autoencoder_dependencies(model):
    return torch.full((model.n, model.n), {value})
""")
        for value in (True, False)
    ),
    blind("what comes before is seen", "04_nade", "autoencoder_dependencies", """
def autoencoder_dependencies(model):
    return torch.ones(model.n, model.n).tril(-1).bool()
"""),
    blind("degrees by a die, for every layer alike", "05_made", "assign_degrees", """
def assign_degrees(n, hidden_sizes, generator=None):
    return [torch.ones(size, dtype=torch.long) for size in hidden_sizes]
"""),
)  # fmt: skip

# --- 05: a MADE in form ---------------------------------------------------------------------------

_UNIFORM = """
class MADE(nn.Module):
    def __init__(self, n, hidden_sizes, place=None, generator=None):
        super().__init__()
        self.n, self.weight = n, nn.Parameter(torch.randn(7))
        self.bias = nn.Parameter(torch.randn(n))
        self.place = torch.arange(1, n + 1) if place is None else place
    def reorder(self, place):
        self.place = place
    def forward(self, x):
        return LOGITS
    def nll(self, x):
        losses = nn.functional.binary_cross_entropy_with_logits(self(x), x, reduction="none")
        return losses.sum(1)
    def sample(self, count, generator=None):
        x = torch.zeros(count, self.n)
        for d in torch.argsort(self.place):
            x[:, d] = torch.bernoulli(torch.sigmoid(self(x)[:, d]), generator=generator)
        return x
"""
_MADE = lessons.exercise_source("05_made", "MADE") + "\n\nclass MADE(MADE):"
MADES = (
    *(
        blind(what, "05_made", check, _UNIFORM.replace("LOGITS", logits))
        for check in ("MADE.forward", "MADE")
        for what, logits in {
            "uniform": "torch.zeros(len(x), self.n)",
            "independent coins, each with a bias": "self.bias.expand(len(x), -1)",
            "what was given for logits": "x",
            "logits without end": "torch.full((len(x), self.n), torch.inf)",
            "logits that are no numbers": "torch.full((len(x), self.n), torch.nan)",
            "noise": "torch.randn(len(x), self.n)",
        }.items()
    ),
    blind("n log 2 for all", "05_made", "MADE.nll", f"""{_MADE}
    def nll(self, x):
        return torch.full((len(x),), self.n * math.log(2))
"""),
    blind("fair coins", "05_made", "MADE.sample", f"""{_MADE}
    def sample(self, count, generator=None):
        for _ in range(self.n):
            self(torch.zeros(count, self.n))
        return {_COINS.format("count, self.n")}
"""),
    blind("a layer that gives zeros", "05_made", "MaskedLinear", """
class MaskedLinear(nn.Linear):
    def __init__(self, in_features, out_features, mask, bias=True):
        super().__init__(in_features, out_features, bias=bias)
        self.register_buffer("mask", torch.as_tensor(mask).float())
    def forward(self, x):
        return torch.zeros(len(x), self.out_features)
"""),
    *(
        blind(f"masks of {what}", "05_made", "build_masks", f"""
def build_masks(degrees, place):
    sizes = [len(place), *map(len, degrees), len(place)]
    return [torch.{what}(b, a) for a, b in zip(sizes, sizes[1:])]
""")
        for what in ("ones", "zeros")
    ),
    blind("no paths", "05_made", "connectivity", """
def connectivity(masks):
    return torch.zeros(masks[-1].shape[0], masks[0].shape[1], dtype=torch.long)
"""),
    blind("the uniform average", "05_made", "average_over_orders", """
def average_over_orders(model, x, places):
    return torch.full((len(x),), -x.shape[1] * math.log(2))
"""),
    blind("one number for everything", "05_made", "made_parameters", """
def made_parameters(n, hidden_sizes):
    return 1
"""),
)  # fmt: skip

# --- 09: pictures without a network ---------------------------------------------------------------

_BLOCK = (
    lessons.exercise_source("09_pixelcnn", "GatedBlock")
    + """
class GatedBlock(GatedBlock):
    def forward(self, v, h):
        return ANSWER
"""
)
_MEMORY = """
class BlockMemory:
    def __init__(self, block, count, width):
        self.block = block
        self.left = torch.zeros(count, block.across.in_channels, width + 99)
        self.channels = block.out.out_channels
    def pixel(self, c, h):
        return ANSWER
    def row(self, v):
        return v
"""
PICTURES = (
    *(
        blind(f"masks of {what}", "09_pixelcnn", "conv_mask", f"""
def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):
    h, w = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    return torch.{what}(channels_out, channels_in, h, w)
""")
        for what in ("ones", "zeros")
    ),
    blind("block and memory give zeros", "09_pixelcnn", "BlockMemory",
          _MEMORY.replace("ANSWER", "torch.zeros(len(h), self.channels, dtype=h.dtype)"),
          GatedBlock=_BLOCK.replace("ANSWER", "[0 * v[:, :1].expand("
                                    "-1, self.out.out_channels, -1, -1)] * 2")),
    blind("block and memory give back what they get", "09_pixelcnn", "BlockMemory",
          _MEMORY.replace("ANSWER", "h[:, :1].expand(-1, self.channels)"),
          GatedBlock=_BLOCK.replace("ANSWER", "[h[:, :1].expand("
                                    "-1, self.out.out_channels, -1, -1)] * 2")),
    blind("a die", "09_pixelcnn", "PixelCNN", """
class PixelCNN(nn.Module):
    def __init__(self, levels, colors=1, channels=24, kernels=(7, 3, 3), dropout=0.0):
        super().__init__()
        self.levels, self.colors, self.weight = levels, colors, nn.Parameter(torch.ones(3))
    def forward(self, x):
        return torch.zeros(len(x), self.levels, *x.shape[1:], dtype=self.weight.dtype)
    def pixel_nll(self, x):
        return F.cross_entropy(self(x), x, reduction="none")
    def nll(self, x):
        return self.pixel_nll(x).flatten(1).sum(1)
    def bits_per_dim(self, x):
        return self.nll(x) / (math.log(2) * x[0].numel())
    def inpaint(self, x, rows, generator=None):
        x = x.clone()
        new = x[:, :, rows:]
        new.copy_(torch.randint(0, self.levels, new.shape, generator=generator))
        return x
    def sample(self, count, height, width, generator=None):
        empty = torch.zeros(count, self.colors, height, width, dtype=torch.long)
        return self.inpaint(empty, 0, generator)
"""),
)  # fmt: skip

# --- 10: sound without a network ------------------------------------------------------------------

_WAVENET = """
class WaveNet(nn.Module):
    def __init__(self, levels, channels, skip_channels, kernel_size, dilations, labels=0):
        super().__init__()
        self.levels = levels
        self.field = 1 + sum((kernel_size - 1) * d for d in dilations)
        self.embed = nn.Embedding(levels, channels)
        self.head = nn.Conv1d(skip_channels, levels, 1)
        self.blocks = nn.ModuleList(
            ResidualBlock(channels, skip_channels, kernel_size, d, labels) for d in dilations
        )
    def stack(self, x, label=None):
        return torch.full((len(x), self.levels, x.shape[2]), VALUE, dtype=x.dtype)
    def forward(self, codes, label=None):
        return self.stack(self.embed(codes).transpose(1, 2), label)
    def nll(self, codes, label=None, given=0):
        return F.cross_entropy(self(codes, label), codes, reduction="none")[:, given:].sum(1)
"""
_DIE = """
def generate_fast(model, count, label=None, generator=None):
    rows = 1 if label is None else len(label)
    u = [torch.rand(rows, 1, generator=generator, dtype=torch.float64) for _ in range(count)]
    return (torch.cat(u, 1) * model.levels).long().clamp(max=model.levels - 1)
"""
_NOTHING = """
def generate_fast(model, count, label=None, generator=None):
    rows = 1 if label is None else len(label)
    torch.rand(rows, count, generator=generator)
    return torch.zeros(rows, count, dtype=torch.int64)
"""
_ZEROS = _WAVENET.replace("VALUE", "0.0")
_NAN = _WAVENET.replace("VALUE", "torch.nan")
_WINDOWS = """
def generate(model, count, label=None, generator=None):
    rows = 1 if label is None else len(label)
    codes = DRAWN
    for t in range(count):
        model(codes[:, max(0, t - model.field) : t + 1], label)
    return codes
"""
SOUNDS = (
    blind("constant logits and a die", "10_wavenet", "generate_fast", _DIE, WaveNet=_ZEROS),
    blind("no numbers and zeros", "10_wavenet", "generate_fast", _NOTHING, WaveNet=_NAN),
    blind("a die", "10_wavenet", "generate_fast", _DIE),
    blind("constant logits", "10_wavenet", "WaveNet", _ZEROS),
    blind("no numbers", "10_wavenet", "WaveNet", _NAN),
    blind("asks as it should, and throws dice", "10_wavenet", "generate", _WINDOWS.replace(
        "DRAWN", "torch.randint(0, model.levels, (rows, count), generator=generator)")),
    blind("asks as it should, and writes zeros", "10_wavenet", "generate", _WINDOWS.replace(
        "DRAWN", "torch.zeros(rows, count, dtype=torch.int64)")),
    blind("a convolution of zeros, and biases", "10_wavenet", "ResidualBlock", """
class ResidualBlock(nn.Module):
    def __init__(self, channels, skip_channels, kernel_size, dilation, labels=0):
        super().__init__()
        self.conv = CausalConv1d(channels, 2 * channels, kernel_size, dilation)
        self.residual = nn.Conv1d(channels, channels, 1)
        self.skip = nn.Conv1d(channels, skip_channels, 1)
        self.condition = nn.Embedding(labels, 2 * channels) if labels else None
    def forward(self, x, label=None):
        skip = self.skip.bias[:, None].expand(len(x), -1, x.shape[2])
        return x + self.residual.bias[:, None], skip
""", CausalConv1d="""
class CausalConv1d(nn.Conv1d):
    def __init__(self, channels_in, channels_out, kernel_size, dilation=1):
        super().__init__(channels_in, channels_out, kernel_size, dilation=dilation)
    def forward(self, x):
        return torch.zeros(len(x), self.out_channels, x.shape[2], dtype=x.dtype)
"""),
)  # fmt: skip

# --- 12: texts without a model --------------------------------------------------------------------

_ASKED_AND_DRAWN = """
def {name}(model, tokens, count, generator=None):
    V = model.config["vocab_size"]
    model(tokens[:, -model.config["n_positions"] :])
    more = torch.randint(0, V, (len(tokens), count), generator=generator)
    return torch.cat([tokens, more], dim=1)
"""
TEXTS = (
    blind("the first two", "12_gpt2", "find_the_leak", """
def find_the_leak(models):
    return sorted(models)[:2]
"""),
    blind("all of them", "12_gpt2", "find_the_leak", """
def find_the_leak(models):
    return list(models)
"""),
    blind("nobody", "12_gpt2", "find_the_leak", """
def find_the_leak(models):
    return []
"""),
    *(blind("asked once, then a die", "12_gpt2", name, _ASKED_AND_DRAWN.format(name=name))
      for name in ("generate", "generate_cached")),
    blind("the file as it is", "12_gpt2", "load_hf", """
def load_hf(state_dict):
    return dict(state_dict)
"""),
    blind("log V a token", "12_gpt2", "sequence_nll", """
def sequence_nll(model, tokens, given=1):
    V = model.config["vocab_size"]
    return torch.full((len(tokens),), (tokens.shape[1] - given) * math.log(V))
"""),
    blind("nothing is kept", "12_gpt2", "Cache", """
class Cache:
    def __init__(self):
        self.length = 0
    def append(self, layer, k, v):
        return k, v
    def reorder(self, rows):
        pass
"""),
    blind("means of all values", "12_gpt2", "causal_attention", """
def causal_attention(q, k, v):
    return v.mean(dim=-2, keepdim=True).expand(*q.shape[:-1], -1)
"""),
)  # fmt: skip

# --- 13: decoding without a model -----------------------------------------------------------------

DECODING = (
    blind("token 0, evenly priced", "13_temperature", "greedy", """
def greedy(step, length):
    V = step(torch.zeros(1, 0, dtype=torch.long)).shape[1]
    return [0] * length, -length * math.log(V)
"""),
    blind("the first texts, evenly priced", "13_temperature", "beam_search", """
def beam_search(step, width, length):
    V = step(torch.zeros(1, 0, dtype=torch.long)).shape[1]
    texts = torch.cartesian_prod(*[torch.arange(V)] * min(length, 4)).reshape(-1, min(length, 4))
    texts = torch.nn.functional.pad(texts[:width], (length - texts.shape[1], 0))
    return texts, torch.full((len(texts),), -length * math.log(V))
"""),
    blind("evenly drawn, never asked", "13_temperature", "drift", """
def drift(model, source, count, length, generator):
    drawn = torch.rand(count, length, generator=generator, dtype=torch.float64)
    return drawn.mean(0), drawn.std(0) / math.sqrt(count)
"""),
    blind("even", "13_temperature", "temperature", """
def temperature(logits, T):
    return torch.full(logits.shape, 1 / logits.shape[-1], dtype=logits.dtype)
"""),
)  # fmt: skip

# --- 14: files without a model --------------------------------------------------------------------

_COPY = """
def encode(model, x):
    return x.numpy().tobytes()
"""
_COPIED = """
def decode(model, message, count=1):
    return torch.from_numpy(np.frombuffer(message, np.int64).copy()).reshape(count, -1)
"""
_BYTES = """
def encode(model, x):
    return x.numpy().astype(np.uint8).tobytes()
"""
_BYTES_BACK = """
def decode(model, message, count=1):
    found = np.frombuffer(message, np.uint8).astype(np.int64)
    return torch.from_numpy(found).reshape(count, -1)
"""
_EVEN = """
def encode(model, x):
    even = quantize(torch.full((len(x), model.n, model.k), 1 / model.k).double(), BITS)
    encoder = RangeEncoder()
    for i in range(model.n):
        encoder.encode(symbols_of(x[:, i]), choice, table_of(even[:, i]))
    return encoder.get_compressed().tobytes()
"""
_EVEN_BACK = """
def decode(model, message, count=1):
    even = quantize(torch.full((count, model.k), 1 / model.k).double(), BITS)
    decoder = RangeDecoder(np.frombuffer(message, dtype=np.uint32))
    columns = [decoder.decode(choice, table_of(even)) for i in range(model.n)]
    return torch.from_numpy(np.stack(columns, axis=1).astype(np.int64))
"""
_KEPT = """
SENT = {}
_solved = encode
def encode(model, x):
    file = _solved(model, x)
    SENT[file] = x.clone()
    return file
def decode(model, message, count=1):
    if message in SENT:
        return SENT[message]
    return torch.zeros(count, model.n, dtype=torch.int64)
"""
_PAIRS = {"a copy": (_COPY, _COPIED), "a byte a symbol": (_BYTES, _BYTES_BACK),
          "a range coder without a model": (_EVEN, _EVEN_BACK)}  # fmt: skip
FILES = (
    *(
        answer
        for what, (there, back) in _PAIRS.items()
        for answer in (
            blind(what, "14_compression", "encode", there),
            blind(what, "14_compression", "decode", back, encode=there),
            blind(what, "14_compression", "round_trip", """
def round_trip(model, x):
    return bool((decode(model, encode(model, x), len(x)) == x).all())
""", encode=there, decode=back),
        )
    ),
    blind("x is kept aside", "14_compression", "decode", _KEPT),
    blind("blocks are kept aside", "14_compression", "decode_learning", _KEPT + """
def decode_learning(learn, files, sizes, n):
    return torch.cat([SENT[file] for file in files])
"""),
    blind("all zeros", "14_compression", "decode_learning", """
def decode_learning(learn, files, sizes, n):
    return torch.zeros(sum(sizes), n, dtype=torch.int64)
"""),
    *(
        blind(f"always {value}", "14_compression", "round_trip", f"""
def round_trip(model, x):
    return {value}
""")
        for value in (True, False)
    ),
    blind("even frequencies", "14_compression", "quantize", """
def quantize(probs, bits=20):
    k = probs.shape[-1]
    f = torch.full(probs.shape, 2**bits // k, dtype=torch.int64)
    f[..., 0] += 2**bits - k * (2**bits // k)
    return f
"""),
)  # fmt: skip

WRITTEN: tuple[Blind, ...] = (*DICE, *MADES, *PICTURES, *SOUNDS, *TEXTS, *DECODING, *FILES)
