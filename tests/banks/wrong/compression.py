"""Wrong answers to lesson 14, a model as a codec."""

from tests.banks.bank import Wrong, written

PRICE = "the price of all outcomes is −Σ log p / ln 2 bits"
LIMITS = (
    "what is certain costs nothing, what is impossible infinitely much, what is nearly so its own "
    "price"
)
ADDS = "prices of thousands of outcomes are finite, and add up to the fraction of a bit"
SUMS = "each row sums to 2^bits, exactly"
PARTS = "no symbol is left without a part, be its probability 0"
NEAR = "frequencies are proportional to p, up to a few parts"
ALONE = "a row's frequencies come from that row alone, divided by its sum, in single precision too"
REFUSED = "more symbols than parts are refused with a ValueError, and as many are not"
FILE = "the file of a set costs −log2 p(x) bits, within 0.5 % and 64 bits"
SURE = "a sure thing costs nothing, and an impossible one can still be written"
WORDS = "different words have different files, the same word the same, and x stays as it is"
ORDER = "a file is read from its first column on: what the reader needs first can be read first"
BACK = "what was encoded comes back, symbol for symbol"
LONG = "a long message comes back too, to the last symbol"
SHAPE = "both ends ask the model in the same shape, and in symbols that it has"
NOISE = "it reads the message and nothing else: random bytes decode to samples of the model"
BLOCKS = "each block comes back, read by what was learned from all blocks before it"
HONEST = "a model that sees only the past passes"
PEEKS = "a model that peeks fails, however little it peeks"
LUCK = "what comes back has come back, be it by luck"
MISTAKE = "a mistake in the code is not taken for a leak"

BITS_OF = "    return float(-log_probs.sum() / math.log(2))"
SHARES = "    frequencies = 1 + torch.floor(p * (2**bits - k)).long()\n"
REST = "    return frequencies.scatter_add(-1, p.argmax(dim=-1, keepdim=True), rest)"
TABLES = "    frequencies = quantize(model.conditionals(x), BITS)  # (B, n, k)\n"
WRITE = "        encoder.encode(symbols_of(x[:, i]), choice, table_of(frequencies[:, i]))\n"
ASK = "        frequencies = quantize(model.conditionals(x)[:, i], BITS)  # (count, k)\n"
READ = "        x[:, i] = torch.from_numpy(decoder.decode(choice, table_of(frequencies)))\n"
LEARN = "        x = torch.cat([x, decode(learn(x), file, size)])\n"
COMPARE = "        return torch.equal(decode(model, message, len(x)), x)\n"


def price(returned: str) -> tuple[str, str]:
    return BITS_OF, f"    return float({returned})"


ANSWERS = (
    Wrong("ideal_bits", PRICE, "nats", edit=price("-log_probs.sum()")),
    Wrong("ideal_bits", PRICE, "multiplied", edit=price("-log_probs.sum() * math.log(2)")),
    Wrong("ideal_bits", PRICE, "mean", edit=price("-log_probs.mean() / math.log(2)")),
    Wrong("ideal_bits", PRICE, "bytes-for-bits", edit=price("-log_probs.sum() / math.log(2) / 8")),
    Wrong(
        "ideal_bits",
        ADDS,
        "rounded-up",
        edit=(
            BITS_OF,
            "    bits = float(-log_probs.sum() / math.log(2))\n"
            "    return bits if bits == math.inf else math.ceil(bits)\n",
        ),
    ),
    Wrong("ideal_bits", PRICE, "sign", edit=price("log_probs.sum() / math.log(2)")),
    Wrong(
        "ideal_bits",
        LIMITS,
        "impossible-hidden",
        edit=price("-log_probs.clamp(min=-100).sum() / math.log(2)"),
    ),
    Wrong("ideal_bits", PRICE, "decimal", edit=price("-log_probs.sum() / math.log(10)")),
    Wrong("ideal_bits", PRICE, "one-row", edit=price("-log_probs[0].sum() / math.log(2)")),
    Wrong(
        "ideal_bits",
        PRICE,
        "each-rounded-up",
        edit=price("torch.ceil(-log_probs / math.log(2)).sum()"),
    ),
    Wrong(
        "ideal_bits",
        PRICE,
        "weighted",
        edit=price("torch.special.entr(log_probs.exp()).sum() / math.log(2)"),
    ),
    Wrong("ideal_bits", PRICE, "log-of-a-log", edit=price("-torch.log2(log_probs).sum()")),
    Wrong(
        "ideal_bits",
        LIMITS,
        "through-probabilities",
        edit=price("-torch.log2(torch.exp(log_probs)).sum()"),
    ),
    Wrong(
        "ideal_bits",
        ADDS,
        "through-probabilities",
        edit=price("-torch.log2(log_probs.exp().prod())"),
    ),
    Wrong(
        "ideal_bits",
        LIMITS,
        "impossible-hidden",
        edit=price("-torch.log2(log_probs.exp() + 1e-9).sum()"),
    ),
    Wrong(
        "ideal_bits",
        LIMITS,
        "impossible-hidden",
        edit=price("-torch.nan_to_num(log_probs, neginf=-37.5).sum() / math.log(2)"),
    ),
    Wrong("ideal_bits", stops="shape", edit=(BITS_OF, "    return -log_probs / math.log(2)\n")),
    # ----------------------------------------------------------------------------------- quantize
    Wrong(
        "quantize",
        SUMS,
        "rounded",
        edit=(
            (SHARES, "    frequencies = torch.round(p * 2**bits).long()\n"),
            (REST, "    return frequencies\n"),
        ),
    ),
    Wrong(
        "quantize",
        SUMS,
        "rounded",
        edit=(
            (SHARES, "    frequencies = torch.round(p * 2**bits).long().clamp(min=1)\n"),
            (REST, "    return frequencies\n"),
        ),
    ),
    Wrong(
        "quantize",
        PARTS,
        "rounded-then-mended",
        edit=(SHARES, "    frequencies = torch.round(p * 2**bits).long()\n"),
    ),
    Wrong(
        "quantize",
        PARTS,
        "rounded-then-mended",
        edit=(SHARES, "    frequencies = torch.floor(p * 2**bits).long()\n"),
    ),
    Wrong(
        "quantize",
        PARTS,
        "no-part-first",
        edit=(SHARES, "    frequencies = (p * (2**bits - k)).long()\n"),
    ),
    Wrong("quantize", SUMS, "rest-forgotten", edit=(REST, "    return frequencies\n")),
    Wrong(
        "quantize",
        SUMS,
        "one-added-on-top",
        edit=(
            (SHARES, "    frequencies = 1 + torch.floor(p * 2**bits).long()\n"),
            (REST, "    return frequencies\n"),
        ),
    ),
    Wrong(
        "quantize",
        PARTS,
        "one-added-on-top",
        edit=(SHARES, "    frequencies = 1 + (p * 2**bits).floor().long()\n"),
    ),
    Wrong(
        "quantize",
        REFUSED,
        "last-room-refused",
        edit=("    if k > 2**bits:\n", "    if k > 2**bits - 1:\n"),
    ),
    Wrong(
        "quantize",
        SUMS,
        "wrong-axis",
        edit=(
            ("p = p / p.sum(dim=-1, keepdim=True)", "p = p / p.sum(dim=-2, keepdim=True)"),
            (REST, "    return frequencies\n"),
        ),
    ),
    Wrong(
        "quantize",
        NEAR,
        "rest-only",
        edit=(SHARES, "    frequencies = torch.ones(p.shape, dtype=torch.int64)\n"),
    ),
    Wrong(
        "quantize",
        ALONE,
        "changed-in-place",
        edit=(
            "    p = probs.double()\n    p = p / p.sum(dim=-1, keepdim=True)\n",
            "    probs /= probs.sum(dim=-1, keepdim=True)\n    p = probs.double()\n"
            "    p = p / p.sum(dim=-1, keepdim=True)\n",
        ),
    ),
    Wrong(
        "quantize",
        ALONE,
        "not-divided-by-the-sum",
        edit=("    p = p / p.sum(dim=-1, keepdim=True)\n", ""),
    ),
    Wrong(
        "quantize",
        ALONE,
        "not-divided-by-the-sum",
        edit=(
            "    p = probs.double()\n    p = p / p.sum(dim=-1, keepdim=True)\n",
            "    p = probs\n",
        ),
    ),
    Wrong(
        "quantize",
        ALONE,
        "batch-matters",
        edit=(
            "    p = p / p.sum(dim=-1, keepdim=True)\n",
            "    p = p / p.sum() * (p.numel() / k)\n",
        ),
    ),
    Wrong(
        "quantize",
        REFUSED,
        "too-many-symbols",
        edit=("    if k > 2**bits:\n", "    if False:\n"),
    ),
    Wrong("quantize", stops="integers", edit=(REST, REST.rstrip() + ".double() / 2**bits\n")),
    # ------------------------------------------------------------------------------------- encode
    Wrong(
        "encode",
        FILE,
        "conditionals-of-zeros",
        edit=("model.conditionals(x)", "model.conditionals(torch.zeros_like(x))"),
    ),
    Wrong(
        "encode",
        FILE,
        "context-unused",
        edit=(
            "quantize(model.conditionals(x), BITS)",
            "quantize(torch.ones_like(model.conditionals(x)) / model.k, BITS)",
        ),
    ),
    Wrong(
        "encode",
        FILE,
        "words-for-bytes",
        edit=("get_compressed().tobytes()", "get_compressed()"),
    ),
    *written(
        "encode",
        "encode(model, x)",
        (
            FILE,
            "stream-for-each",
            """
frequencies = quantize(model.conditionals(x), BITS)
message = b""
for row, tables in zip(x, frequencies):
    encoder = RangeEncoder()
    encoder.encode(symbols_of(row), choice, table_of(tables))
    message += encoder.get_compressed().tobytes()
return message
""",
        ),
        (
            FILE,
            "not-compressed",
            """
return symbols_of(x).tobytes()
""",
        ),
        (
            FILE,
            "stream-for-each",
            """
tables, files = quantize(model.conditionals(x), BITS), []
for i in range(model.n):
    coder = RangeEncoder()
    coder.encode(symbols_of(x[:, i]), choice, table_of(tables[:, i]))
    files.append(coder.get_compressed().tobytes())
return b"".join(files)
""",
        ),
        (
            FILE,
            "mean-table",
            """
freq = quantize(model.conditionals(x).mean(dim=0, keepdim=True).expand(len(x), -1, -1), BITS)
encoder = RangeEncoder()
for i in range(model.n):
    encoder.encode(symbols_of(x[:, i]), choice, table_of(freq[:, i]))
return encoder.get_compressed().tobytes()
""",
        ),
        (
            FILE,
            "softmax-again",
            """
f = quantize(model.conditionals(x).softmax(-1), 16)
enc = RangeEncoder()
for i in range(model.n):
    enc.encode(symbols_of(x[:, i]), choice, table_of(f[:, i]))
return enc.get_compressed().tobytes()
""",
        ),
        (
            FILE,
            "header",
            """
freq = quantize(model.conditionals(x), BITS)
encoder = RangeEncoder()
for i in range(model.n):
    encoder.encode(symbols_of(x[:, i]), choice, table_of(freq[:, i]))
return struct.pack("<I", len(x)) + encoder.get_compressed().tobytes()
""",
        ),
    ),
    Wrong(
        "encode",
        FILE,
        "one-column-late",
        edit=(
            TABLES,
            TABLES + "    frequencies = torch.cat([torch.full_like(frequencies[:, :1], "
            "2**BITS // model.k), frequencies[:, :-1]], 1)\n",
        ),
    ),
    Wrong(
        "encode",
        FILE,
        "padded",
        edit=(
            "    return encoder.get_compressed().tobytes()",
            "    return bytes(len(encoder.get_compressed().tobytes()))",
        ),
    ),
    Wrong(
        "encode",
        FILE,
        "too-short",
        edit=("for i in range(model.n)", "for i in range(model.n // 2)"),
    ),
    Wrong(
        "encode",
        WORDS,
        "information-lost",
        edit=("for i in range(model.n)", "for i in range(1, model.n)"),
    ),
    Wrong(
        "encode",
        SURE,
        "zero-probability",
        edit=(
            WRITE,
            """        seen = model.conditionals(x)[:, i].gather(1, x[:, i : i + 1])[:, 0] > 0
        if seen.any():
            encoder.encode(symbols_of(x[seen, i]), choice, table_of(frequencies[seen, i]))
""",
        ),
    ),
    Wrong(
        "encode",
        FILE,
        "coarse-frequencies",
        edit=("quantize(model.conditionals(x), BITS)", "quantize(model.conditionals(x), 6)"),
    ),
    Wrong(
        "encode",
        FILE,
        "columns-reversed",
        edit=(TABLES, TABLES + "    frequencies = frequencies.flip(1)\n"),
    ),
    Wrong(
        "encode",
        FILE,
        "one-column-late",
        edit=("symbols_of(x[:, i])", "symbols_of(x[:, i - 1])"),
    ),
    Wrong(
        "encode",
        FILE,
        "leading-row",
        edit=(TABLES, TABLES + "    frequencies = frequencies[:1].expand(len(x), -1, -1)\n"),
    ),
    Wrong(
        "encode",
        WORDS,
        "information-lost",
        edit=("get_compressed().tobytes()", "get_compressed().tobytes()[:-1]"),
    ),
    Wrong(
        "encode",
        WORDS,
        "information-lost",
        edit=("get_compressed().tobytes()", "get_compressed().tobytes()[1:]"),
    ),
    Wrong(
        "encode",
        WORDS,
        "x-overwritten",
        edit=("    return encoder", "    x.zero_()\n    return encoder"),
    ),
    Wrong(
        "encode",
        ORDER,
        "stack-order",
        edit=(
            ("encoder = RangeEncoder()", "encoder = AnsCoder()"),
            ("encoder.encode(", "encoder.encode_reverse("),
        ),
    ),
    Wrong(
        "encode",
        ORDER,
        "columns-backwards",
        edit=("for i in range(model.n)", "for i in reversed(range(model.n))"),
    ),
    Wrong(
        "encode",
        ORDER,
        source="""
def encode(model, x):
    frequencies, encoder = quantize(model.conditionals(x), BITS), RangeEncoder()
    for i in [*range(1, model.n, 2), *range(0, model.n, 2)]:
        encoder.encode(symbols_of(x[:, i]), choice, table_of(frequencies[:, i]))
    return encoder.get_compressed().tobytes()
""",
    ),
    # ------------------------------------------------------------------- encode, found by decoding
    Wrong(
        "encode",
        BACK,
        "stack-order",
        edit=("for i in range(model.n)", "for i in reversed(range(model.n))"),
        check="decode",
    ),
    Wrong(
        "encode",
        BACK,
        "rows-and-columns",
        source="""
def encode(model, x):
    frequencies = quantize(model.conditionals(x), BITS)
    encoder = RangeEncoder()
    for row, tables in zip(x, frequencies):
        encoder.encode(symbols_of(row), choice, table_of(tables))
    return encoder.get_compressed().tobytes()
""",
        check="decode",
    ),
    Wrong(
        "encode",
        BACK,
        source="""
def encode(model, x):
    import hashlib
    p = model.conditionals(x).gather(-1, x[..., None])
    size = int(-p.double().log2().sum() / 32) * 4 + 4
    digest = hashlib.shake_128(x.numpy().tobytes())
    return digest.digest(size)
""",
        check="decode",
    ),
    Wrong(
        "encode",
        SHAPE,
        edit=(
            TABLES,
            "    rows = [model.conditionals(row[None]) for row in x]\n"
            "    frequencies = quantize(torch.cat(rows), BITS)\n",
        ),
        check="decode",
    ),
    # ------------------------------------------------------------------------------------- decode
    Wrong(
        "decode",
        BACK,
        "one-pass",
        edit=(
            (
                "    for i in range(model.n):\n",
                "    p = model.conditionals(x)\n    for i in range(model.n):\n",
            ),
            ("quantize(model.conditionals(x)[:, i], BITS)", "quantize(p[:, i], BITS)"),
        ),
    ),
    Wrong(
        "decode",
        BACK,
        "prefix-unused",
        edit=("model.conditionals(x)", "model.conditionals(torch.zeros_like(x))"),
    ),
    Wrong(
        "decode",
        BACK,
        "never-written",
        edit=(READ, "        decoder.decode(choice, table_of(frequencies))\n"),
    ),
    Wrong(
        "decode",
        BACK,
        "stack-order",
        source="""
def encode(model, x):
    frequencies = quantize(model.conditionals(x), BITS)
    coder = AnsCoder()
    for i in range(model.n):
        coder.encode_reverse(symbols_of(x[:, i]), choice, table_of(frequencies[:, i]))
    return coder.get_compressed().tobytes()


def decode(model, message, count=1):
    coder = AnsCoder(np.frombuffer(message, dtype=np.uint32))
    x = torch.zeros(count, model.n, dtype=torch.int64)
    for i in range(model.n):
        frequencies = quantize(model.conditionals(x)[:, i], BITS)
        x[:, i] = torch.from_numpy(coder.decode(choice, table_of(frequencies)))
    return x
""",
    ),
    Wrong(
        "decode",
        LONG,
        "precision-differs",
        edit=("model.conditionals(x)[:, i]", "model.conditionals(x)[:, i].float()"),
    ),
    Wrong(
        "decode",
        LONG,
        "precision-differs",
        edit=("quantize(model.conditionals(x)[:, i], BITS)", "model.conditionals(x)[:, i]"),
    ),
    Wrong("decode", BACK, "precision-differs", edit=("[:, i], BITS)", "[:, i], 12)")),
    Wrong("decode", BACK, "another-column", edit=("(x)[:, i]", "(x)[:, i - 1]")),
    Wrong("decode", BACK, "another-column", edit=("(x)[:, i]", "(x)[:, 0]")),
    Wrong("decode", BACK, "columns-left-out", edit=("range(model.n)", "range(model.n - 1)")),
    Wrong("decode", stops="should have shape (1,", edit=("count=1", "count=2")),
    Wrong(
        "decode",
        SHAPE,
        "no-symbol",
        edit=(
            "torch.zeros(count, model.n, dtype=torch.int64)",
            "-torch.ones(count, model.n, dtype=torch.int64)",
        ),
    ),
    Wrong(
        "decode",
        NOISE,
        "header",
        source="""
_plain = encode


def encode(model, x):
    return b"CODE" + _plain(model, x)


def decode(model, message, count=1):
    if message[:4] != b"CODE":
        raise AssertionError("this is no file of ours")
    decoder = RangeDecoder(np.frombuffer(message[4:], dtype=np.uint32))
    x = torch.zeros(count, model.n, dtype=torch.int64)
    for i in range(model.n):
        frequencies = quantize(model.conditionals(x)[:, i], BITS)
        x[:, i] = torch.from_numpy(decoder.decode(choice, table_of(frequencies)))
    return x
""",
    ),
    Wrong(
        "decode",
        BACK,
        "precision-differs",
        edit=("table_of(frequencies)", "np.ascontiguousarray(frequencies, dtype=np.float64)"),
    ),
    Wrong(
        "decode",
        SHAPE,
        "shape-differs",
        edit=("model.conditionals(x)[:, i]", "model.conditionals(x[:, : i + 1])[:, i]"),
    ),
    Wrong(
        "decode",
        SHAPE,
        "shape-differs",
        edit=(
            "model.conditionals(x)[:, i]",
            "torch.cat([model.conditionals(row[None]) for row in x])[:, i]",
        ),
    ),
    Wrong(
        "decode",
        NOISE,
        source="""
def encode(model, x):
    p = quantize(model.conditionals(x), BITS)
    encoder = RangeEncoder()
    for i in range(model.n):
        encoder.encode(symbols_of(x[:, i]), choice, table_of(p[:, i]))
    message = encoder.get_compressed().tobytes()
    seen[message, len(x)] = x.clone()
    return message


seen = {}


def decode(model, message, count=1):
    return seen[message, count].clone()
""",
    ),
    Wrong("decode", stops="shape", edit=("    return x", "    return x[0]")),
    Wrong("decode", BACK, "columns-shifted", edit=("x[:, i] = torch", "x[:, i - 1] = torch")),
    # ---------------------------------------------------------------------------- decode_learning
    Wrong(
        "decode_learning",
        BLOCKS,
        "nothing-learned",
        edit=(LEARN, LEARN.replace("learn(x)", "learn(x[:0])")),
    ),
    *written(
        "decode_learning",
        "decode_learning(learn, files, sizes, n)",
        (
            BLOCKS,
            "nothing-learned",
            """
model = learn(torch.zeros(0, n, dtype=torch.int64))
return torch.cat([decode(model, file, size) for file, size in zip(files, sizes)])
""",
        ),
        (
            BLOCKS,
            "last-block-only",
            """
new, blocks = torch.zeros(0, n, dtype=torch.int64), []
for file, size in zip(files, sizes):
    new = decode(learn(new), file, size)
    blocks.append(new)
return torch.cat(blocks)
""",
        ),
        (
            BLOCKS,
            "first-block-only",
            """
x = decode(learn(torch.zeros(0, n, dtype=torch.int64)), files[0], sizes[0])
model = learn(x)
rest = [decode(model, file, size) for file, size in zip(files[1:], sizes[1:])]
return torch.cat([x, *rest])
""",
        ),
        (
            BLOCKS,
            "one-block-late",
            """
x = torch.zeros(0, n, dtype=torch.int64)
model = learn(x)
for file, size in zip(files, sizes):
    new = decode(model, file, size)
    model = learn(x)
    x = torch.cat([x, new])
return x
""",
        ),
        (
            BLOCKS,
            "learns-from-zeros",
            """
x, at = torch.zeros(sum(sizes), n, dtype=torch.int64), 0
for file, size in zip(files, sizes):
    x[at : at + size] = decode(learn(x), file, size)
    at += size
return x
""",
        ),
        (
            BLOCKS,
            "learns-from-zeros",
            """
x, at = torch.zeros(sum(sizes), n, dtype=torch.int64), 0
for file, size in zip(files, sizes):
    x[at : at + size] = decode(learn(x[: at + size]), file, size)
    at += size
return x
""",
        ),
        (
            BLOCKS,
            "last-block-returned",
            """
x = torch.zeros(0, n, dtype=torch.int64)
for file, size in zip(files, sizes):
    new = decode(learn(x), file, size)
    x = torch.cat([x, new])
return new
""",
        ),
        (
            BLOCKS,
            "newest-first",
            """
blocks = []
for file, size in zip(files, sizes):
    seen = torch.cat([torch.zeros(0, n, dtype=torch.int64), *blocks])
    blocks.append(decode(learn(seen), file, size))
return torch.cat(blocks[::-1])
""",
        ),
        (
            BLOCKS,
            "blocks-taught-twice",
            """
x, seen = torch.zeros(0, n, dtype=torch.int64), torch.zeros(0, n, dtype=torch.int64)
for file, size in zip(files, sizes):
    new = decode(learn(seen), file, size)
    x = torch.cat([x, new])
    seen = torch.cat([seen, x])
return x
""",
        ),
        (
            BLOCKS,
            "rows-sorted-out",
            """
x = torch.zeros(0, n, dtype=torch.int64)
for file, size in zip(files, sizes):
    seen = x.unique(dim=0) if len(x) else x
    x = torch.cat([x, decode(learn(seen), file, size)])
return x
""",
        ),
        (
            BLOCKS,
            "files-in-another-order",
            """
x = torch.zeros(0, n, dtype=torch.int64)
for size, file in sorted(zip(sizes, files)):
    x = torch.cat([x, decode(learn(x), file, size)])
return x
""",
        ),
    ),
    Wrong(
        "decode_learning",
        BLOCKS,
        "count-forgotten",
        edit=(LEARN, LEARN.replace("file, size", "file")),
    ),
    Wrong(
        "decode_learning",
        BLOCKS,
        "newest-first",
        edit=(LEARN, "        x = torch.cat([decode(learn(x), file, size), x])\n"),
    ),
    Wrong(
        "decode_learning",
        BLOCKS,
        "last-block-unread",
        edit=("zip(files, sizes, strict=True)", "zip(files[:-1], sizes)"),
    ),
    Wrong(
        "decode_learning",
        BLOCKS,
        "first-block-unread",
        edit=("    return x", "    return x[sizes[0] :]"),
    ),
    Wrong(
        "decode",
        BLOCKS,
        "ends-differ",
        edit=("model.conditionals(x)", "model.conditionals(torch.zeros_like(x))"),
        check="decode_learning",
    ),
    # --------------------------------------------------------------------------------- round_trip
    Wrong("round_trip", HONEST, "count-forgotten", edit=("message, len(x))", "message)")),
    Wrong(
        "round_trip",
        PEEKS,
        "gave-up-is-an-answer",
        edit=("except AssertionError", "except OSError"),
    ),
    *written(
        "round_trip",
        "round_trip(model, x)",
        (
            MISTAKE,
            "swallows-everything",
            """
try:
    return torch.equal(decode(model, encode(model, x), len(x)), x)
except Exception:
    return False
""",
        ),
        (
            PEEKS,
            "each-example-alone",
            """
for row in x:
    try:
        if not torch.equal(decode(model, encode(model, row[None]))[0], row):
            return False
    except AssertionError:
        return False
return True
""",
        ),
        (
            PEEKS,
            "one-example-is-enough",
            """
try:
    one = x[:1]
    return torch.equal(decode(model, encode(model, one)), one)
except AssertionError:
    return False
""",
        ),
        (
            PEEKS,
            "one-example-is-enough",
            """
for row in x:
    try:
        if torch.equal(decode(model, encode(model, row[None]))[0], row):
            return True
    except AssertionError:
        pass
return False
""",
        ),
        (
            LUCK,
            "model-for-file",
            """
base = model.conditionals(x)
for i in range(model.n):
    y = x.clone()
    y[:, i] = (y[:, i] + 1) % model.k
    if not torch.equal(model.conditionals(y)[:, : i + 1], base[:, : i + 1]):
        return False
return True
""",
        ),
    ),
    Wrong("round_trip", PEEKS, "gave-up-passes", edit=("return False", "return True")),
    Wrong("round_trip", PEEKS, "always-true", edit=(COMPARE, "        return True\n")),
    Wrong("round_trip", HONEST, "never-true", edit=(COMPARE, "        return False\n")),
    Wrong(
        "round_trip",
        PEEKS,
        "compares-files",
        edit=(
            COMPARE,
            "        return len(encode(model, decode(model, message, len(x)))) == len(message)\n",
        ),
    ),
    Wrong(
        "round_trip",
        PEEKS,
        "compares-a-part",
        edit=(COMPARE, "        return decode(model, message, len(x)).shape == x.shape\n"),
    ),
    Wrong(
        "round_trip",
        PEEKS,
        "compares-a-part",
        edit=(
            COMPARE,
            "        return bool((decode(model, message, len(x)) == x).float().mean() > 0.5)\n",
        ),
    ),
    *(
        Wrong(
            "round_trip",
            PEEKS,
            "compares-a-summary",
            edit=(
                COMPARE,
                f"        back = decode(model, message, len(x))\n        return bool({same})\n",
            ),
        )
        for same in (
            "back.sum() == x.sum()",
            "(back.sum(dim=0) == x.sum(dim=0)).all()",
            "torch.equal(back.sum(dim=1), x.sum(dim=1))",
            "back.float().mean() == x.float().mean()",
            "torch.equal(back.flatten().sort().values, x.flatten().sort().values)",
        )
    ),
    Wrong(
        "encode",
        HONEST,
        "ends-differ",
        edit=("for i in range(model.n)", "for i in reversed(range(model.n))"),
        check="round_trip",
    ),
    Wrong(
        "round_trip",
        stops="True or False",
        edit=(COMPARE, "        return int(torch.equal(decode(model, message, len(x)), x))\n"),
    ),
    Wrong(
        "round_trip",
        PEEKS,
        "compares-a-part",
        edit=(
            "return torch.equal(decode(model, message, len(x)), x)",
            "return bool((decode(model, message, len(x)) == x).float().mean() > 0.9)",
        ),
    ),
    Wrong(
        "quantize",
        NEAR,
        "p-unused",
        edit=(
            "torch.floor(p * (2**bits - k))",
            "torch.floor(torch.full_like(p, 1 / k) * (2**bits - k))",
        ),
    ),
    Wrong(
        "quantize",
        SUMS,
        "p-unused",
        edit=(
            ("    return frequencies.scatter_add(-1, p.argmax(dim=-1, keepdim=True), rest)"),
            "    return torch.ones_like(frequencies)",
        ),
    ),
    Wrong(
        "quantize",
        SUMS,
        "bits-ignored",
        edit=("    k = probs.shape[-1]\n", "    k, bits = probs.shape[-1], 20\n"),
    ),
    Wrong(
        "quantize",
        ALONE,
        "changed-in-place",
        edit=("    p = p / p.sum(dim=-1, keepdim=True)", "    p /= p.sum(dim=-1, keepdim=True)"),
    ),
    Wrong(
        "encode",
        WORDS,
        "encoder-kept",
        edit=(
            "encoder = RangeEncoder()",
            "encoder = encode.__dict__.setdefault('own', RangeEncoder())",
        ),
    ),
    Wrong(
        "decode_learning",
        BLOCKS,
        "one-size-for-all",
        edit=(LEARN, LEARN.replace("file, size", "file, sizes[0]")),
    ),
    *(
        Wrong(
            "round_trip",
            PEEKS,
            name,
            edit=(
                COMPARE,
                f"        back = decode(model, message, len(x))\n        return bool({same})\n",
            ),
        )
        for name, same in (
            ("compares-a-part", "(back[:, -1] == x[:, -1]).all()"),
            ("compares-a-part", "torch.equal(back[0], x[0])"),
            ("compares-a-part", "(back == x).float().mean() > 0.99"),
            ("order-ignored", "sorted(back.tolist()) == sorted(x.tolist())"),
        )
    ),
    Wrong(
        "round_trip",
        PEEKS,
        source="""
def round_trip(model, x):
    try:
        return torch.equal(decode(model, encode(model, x[:1])), x[:1])
    except AssertionError:
        return False
""",
    ),
    *(
        Wrong("ideal_bits", PRICE, name, edit=price(returned))
        for name, returned in (
            ("ln-2-rounded", "-log_probs.sum() / 0.693"),
            ("rows-averaged", "-log_probs.sum(dim=-1).mean() / math.log(2)"),
            ("probabilities-added", "-torch.log2(log_probs.exp().sum())"),
        )
    ),
    *(
        Wrong("quantize", claim, name, edit=edit)
        for claim, name, edit in (
            (PARTS, "shares-not-rounded-down", ("torch.floor(", "torch.round(")),
            (
                PARTS,
                "shares-not-rounded-down",
                (
                    ("torch.floor(", "torch.round("),
                    (REST, "    frequencies[..., -1:] += rest\n    return frequencies"),
                ),
            ),
            *(
                (
                    PARTS,
                    "raised-to-one-afterwards",
                    (
                        (
                            SHARES,
                            "    frequencies = torch.floor(p * 2**bits).long().clamp(min=1)\n",
                        ),
                        (REST, rest),
                    ),
                )
                for rest in (REST, "    frequencies[..., -1:] += rest\n    return frequencies")
            ),
            (
                SUMS,
                "one-part-missing",
                (
                    ("p * (2**bits - k)", "p * (2**bits - 1 - k)"),
                    ("rest = 2**bits - ", "rest = 2**bits - 1 - "),
                ),
            ),
            (NEAR, "single-precision", ("probs.double()", "probs.float()")),
            (SUMS, "another-default", ("bits=20", "bits=16")),
        )
    ),
    Wrong(
        "encode", SURE, "few-bits", edit=("model.conditionals(x), BITS", "model.conditionals(x), 8")
    ),
    *(
        Wrong("decode", BACK, name, edit=edit)
        for name, edit in (
            ("another-column", ("model.conditionals(x)[:, i]", "model.conditionals(x)[:, -1]")),
            (
                "decoder-begins-anew",
                (
                    READ,
                    "        decoder = RangeDecoder(np.frombuffer(message, dtype=np.uint32))\n"
                    + READ,
                ),
            ),
            (
                "one-example-for-all",
                (
                    ("torch.zeros(count, model.n", "torch.zeros(1, model.n"),
                    ("return x", "return x.expand(count, -1)"),
                ),
            ),
            (
                "other-coder",
                ("decoder = RangeDecoder(", "decoder = AnsCoder("),
            ),
            (
                "message-unread",
                (READ, "        x[:, i] = model.conditionals(x)[:, i].argmax(dim=-1)\n"),
            ),
        )
    ),
    *(
        Wrong("decode_learning", BLOCKS, name, edit=(LEARN, LEARN.replace("learn(x)", learned)))
        for name, learned in (
            ("learned-in-another-order", "learn(x.flip(0))"),
            ("learns-from-zeros", "learn(torch.cat([torch.zeros(1, n, dtype=torch.int64), x]))"),
        )
    ),
    Wrong(
        "round_trip",
        MISTAKE,
        "swallows-everything",
        edit=("except AssertionError:", "except (AssertionError, TypeError, RuntimeError):"),
    ),
    *written(
        "quantize",
        "quantize(probs, bits=20)",
        (
            ALONE,
            "single-precision",
            """
k = probs.shape[-1]
if k > 2**bits:
    raise ValueError("k exceeds 2**bits")
p = probs / probs.sum(dim=-1, keepdim=True)
f = 1 + torch.floor(p * (2**bits - k)).long()
rest = 2**bits - f.sum(dim=-1, keepdim=True)
return f.scatter_add(-1, p.argmax(dim=-1, keepdim=True), rest)
""",
        ),
        (
            ALONE,
            "by-chance",
            """
k = probs.shape[-1]
if k > 2**bits:
    raise ValueError("k exceeds 2**bits")
p = probs.double() / probs.double().sum(-1, keepdim=True)
f = 1 + torch.floor(p * (2**bits - k)).long()
rest = 2**bits - f.sum(-1, keepdim=True)
who = torch.multinomial(p.reshape(-1, k), 1).reshape(rest.shape)
return f.scatter_add(-1, who, rest)
""",
        ),
        (
            PARTS,
            "something-added",
            """
total = 2**bits
if probs.shape[-1] > total:
    raise ValueError("k exceeds 2**bits")
p = probs.double() + 1e-6
p = p / p.sum(dim=-1, keepdim=True)
counts = (p * total).floor().long()
counts[..., 0] += total - counts.sum(-1)
return counts
""",
        ),
    ),
    Wrong(
        "decode",
        BACK,
        "asked-for-one",
        source="""
def decode(model, message, count=1):
    decoder = RangeDecoder(np.frombuffer(message, dtype=np.uint32))
    x = torch.zeros(count, model.n, dtype=torch.int64)
    for i in range(model.n):
        f = quantize(model.conditionals(x[:1])[:, i], BITS).expand(count, -1)
        x[:, i] = torch.from_numpy(decoder.decode(choice, table_of(f)))
    return x
""",
    ),
    Wrong(
        "decode",
        BACK,
        "another-column",
        source="""
def decode(model, message, count=1):
    decoder = RangeDecoder(np.frombuffer(message, dtype=np.uint32))
    x = torch.zeros(count, model.n, dtype=torch.int64)
    for i in range(model.n):
        f = quantize(model.conditionals(x)[:, max(i - 1, 0)], BITS)
        x[:, i] = torch.from_numpy(decoder.decode(choice, table_of(f)))
    return x
""",
    ),
    Wrong(
        "round_trip",
        PEEKS,
        "compares-files",
        edit=(
            COMPARE,
            "        return encode(model, decode(model, message, len(x))) == message\n",
        ),
    ),
    Wrong("ideal_bits", PRICE, "one-row", edit=(".sum()", ".sum(-1).flatten()[0]")),
    Wrong(
        "encode",
        FILE,
        "packed-again",
        edit=(
            "return encoder.get_compressed().tobytes()",
            "return zlib.compress(encoder.get_compressed().tobytes())",
        ),
    ),
    Wrong(
        "encode",
        FILE,
        "input-shifted",
        edit=(
            "model.conditionals(x)",
            "model.conditionals(torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1))",
        ),
    ),
)
