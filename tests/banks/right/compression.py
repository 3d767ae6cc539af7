"""Right answers to lesson 14, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "ideal_bits",
        "log2 of e, a loop",
        source="""
def ideal_bits(log_probs):
    total = 0.0
    for value in log_probs.reshape(-1).tolist():
        total -= value * math.log2(math.e)
    return total
""",
    ),
    Right(
        "ideal_bits",
        "a tensor with no axes",
        source="""
def ideal_bits(log_probs):
    return -(log_probs.double() / torch.log(torch.tensor(2.0, dtype=torch.float64))).sum()
""",
    ),
    Right(
        "quantize",
        "by cumulative sums: the cuts are rounded, not the parts",
        source="""
def quantize(probs, bits=20):
    k = probs.shape[-1]
    if k > 1 << bits:
        raise ValueError("too many symbols")
    p = probs.double() / probs.double().sum(-1, keepdim=True)
    cuts = torch.floor(p.cumsum(-1) * ((1 << bits) - k)).long()
    cuts[..., -1] = (1 << bits) - k
    cuts = torch.cat([torch.zeros_like(cuts[..., :1]), cuts], -1)
    return 1 + cuts.diff(dim=-1)
""",
    ),
    Right(
        "quantize",
        "row by row, in Python; the rest to the largest remainders",
        source="""
def quantize(probs, bits=20):
    k, total = probs.shape[-1], 2**bits
    if k > total:
        raise ValueError(f"{k} symbols, {total} parts")
    answer = []
    for row in probs.double().reshape(-1, k).tolist():
        share = [value / sum(row) * (total - k) for value in row]
        parts = [1 + int(value) for value in share]
        order = sorted(range(k), key=lambda s: int(share[s]) - share[s])
        for s in order[: total - sum(parts)]:
            parts[s] += 1
        answer.append(parts)
    return torch.tensor(answer).reshape(probs.shape)
""",
    ),
    Right(
        "quantize",
        "numpy arrays",
        source="""
def quantize(probs, bits=20):
    p = np.asarray(probs, dtype=np.float64)
    k = p.shape[-1]
    if k > 2**bits:
        raise ValueError("more symbols than parts")
    p = p / p.sum(-1, keepdims=True)
    f = 1 + (p * (2**bits - k)).astype(np.int64)
    best = p.argmax(-1)[..., None]
    np.put_along_axis(f, best, np.take_along_axis(f, best, -1) + 2**bits - f.sum(-1)[..., None], -1)
    return torch.from_numpy(f)
""",
    ),
    Right(
        "encode",
        "all columns in one call",
        source="""
def encode(model, x):
    frequencies = quantize(model.conditionals(x), BITS)
    coder = RangeEncoder()
    by_column = frequencies.transpose(0, 1).reshape(-1, model.k)
    coder.encode(symbols_of(x.T.reshape(-1)), choice, table_of(by_column))
    return coder.get_compressed().tobytes()
""",
    ),
    Right(
        "encode",
        "the model asked again at each column: slow, and the same file",
        source="""
def encode(model, x):
    encoder = RangeEncoder()
    for i in range(model.n):
        p = model.conditionals(x)[:, i]
        encoder.encode(symbols_of(x[:, i]), choice, table_of(quantize(p, BITS)))
    return encoder.get_compressed().tobytes()
""",
    ),
    Right(
        "decode",
        "no library: the interval in whole numbers, as many bytes as it needs",
        source="""
def encode(model, x):
    low, width = 0, 1
    for column, tables in zip(x.T.tolist(), quantize(model.conditionals(x), BITS).transpose(0, 1)):
        for symbol, row in zip(column, tables.tolist()):
            low = (low << BITS) + width * sum(row[:symbol])
            width *= row[symbol]
    size = BITS * x.numel()
    for length in range(max(0, (size - width.bit_length()) // 8 - 1), size // 8 + 2):
        free = size - 8 * length
        number = -(-low >> free) if free >= 0 else low << -free
        if (number + 1) << max(free, 0) <= (low + width) << max(-free, 0):
            return number.to_bytes(length, "big")


def decode(model, message, count=1):
    size = BITS * count * model.n
    free = size - 8 * len(message)
    point, width = int.from_bytes(message, "big"), 1
    point = point << free if free >= 0 else point >> -free
    x = torch.zeros(count, model.n, dtype=torch.int64)
    for i in range(model.n):
        for b, row in enumerate(quantize(model.conditionals(x)[:, i], BITS).tolist()):
            size -= BITS
            place, start, symbol = (point >> size) // width, 0, 0
            while start + row[symbol] <= place:
                start, symbol = start + row[symbol], symbol + 1
            point -= (width * start) << size
            width *= row[symbol]
            x[b, i] = symbol
    return x
""",
    ),
    Right(
        "encode",
        "the conditionals themselves, that the library rounds",
        source="""
def encode(model, x):
    p = model.conditionals(x).double()
    coder = RangeEncoder()
    for i in range(x.shape[1]):
        coder.encode(symbols_of(x[:, i]), choice, np.ascontiguousarray(p[:, i].numpy()))
    return coder.get_compressed().tobytes()
""",
    ),
    Right(
        "encode",
        "a stack, filled from back to front",
        source="""
def encode(model, x):
    tables, coder = quantize(model.conditionals(x), BITS), AnsCoder()
    for i in range(model.n - 1, -1, -1):
        coder.encode_reverse(symbols_of(x[:, i]), choice, table_of(tables[:, i]))
    return coder.get_compressed().tobytes()
""",
    ),
    Right(
        "decode",
        "all columns of the sender in one call",
        source="""
def encode(model, x):
    frequencies = quantize(model.conditionals(x), BITS).transpose(0, 1).reshape(-1, model.k)
    coder = RangeEncoder()
    coder.encode(symbols_of(x.T.reshape(-1)), choice, table_of(frequencies))
    return coder.get_compressed().tobytes()


def decode(model, message, count=1):
    words = np.frombuffer(message, dtype="<u4").copy()
    decoder, columns = RangeDecoder(words), []
    for i in range(model.n):
        known = torch.zeros(count, model.n, dtype=torch.long)
        for j, column in enumerate(columns):
            known[:, j] = column
        tables = quantize(model.conditionals(known), BITS)[:, i]
        columns.append(torch.tensor(decoder.decode(choice, table_of(tables)), dtype=torch.long))
    return torch.stack(columns, dim=1)
""",
    ),
    Right(
        "decode",
        "a stack, filled from back to front",
        source="""
def encode(model, x):
    frequencies = quantize(model.conditionals(x), BITS)
    coder = AnsCoder()
    for i in reversed(range(model.n)):
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
    Right(
        "decode",
        "example after example",
        source="""
def encode(model, x):
    frequencies = quantize(model.conditionals(x), BITS)
    coder = RangeEncoder()
    for row, table in zip(x, frequencies):
        coder.encode(symbols_of(row), choice, table_of(table))
    return coder.get_compressed().tobytes()


def decode(model, message, count=1):
    decoder = RangeDecoder(np.frombuffer(message, dtype=np.uint32))
    x = torch.zeros(count, model.n, dtype=torch.int64)
    for b in range(count):
        for i in range(model.n):
            table = quantize(model.conditionals(x)[b, i], BITS)
            x[b, i] = int(decoder.decode(choice, table_of(table[None]))[0])
    return x
""",
    ),
    Right(
        "decode",
        "unknown symbols filled with ones, numpy inside",
        source="""
def decode(model, message, count=1):
    decoder = RangeDecoder(np.frombuffer(message, dtype=np.uint32))
    x = torch.ones(count, model.n, dtype=torch.int64)
    for i in range(model.n):
        table = quantize(model.conditionals(x), BITS)[:, i].numpy().astype(np.float32)
        x[:, i] = torch.as_tensor(decoder.decode(choice, table).astype(np.int64))
    return x
""",
    ),
    Right(
        "decode_learning",
        "into one array",
        source="""
def decode_learning(learn, files, sizes, n):
    x, at = torch.zeros(sum(sizes), n, dtype=torch.int64), 0
    for file, size in zip(files, sizes):
        x[at : at + size] = decode(learn(x[:at]), file, size)
        at += size
    return x
""",
    ),
    Right(
        "decode_learning",
        "block after block, the model in a variable",
        source="""
def decode_learning(learn, files, sizes, n):
    blocks = [torch.empty((0, n), dtype=torch.long)]
    model = learn(blocks[0])
    for i in range(len(files)):
        blocks.append(decode(model, files[i], count=sizes[i]))
        model = learn(torch.cat(blocks))
    return torch.cat(blocks)
""",
    ),
    Right(
        "decode_learning",
        "by recursion",
        source="""
def decode_learning(learn, files, sizes, n):
    if not files:
        return torch.zeros(0, n, dtype=torch.int64)
    before = decode_learning(learn, files[:-1], sizes[:-1], n)
    return torch.vstack([before, decode(learn(before), files[-1], sizes[-1])])
""",
    ),
    Right(
        "round_trip",
        "compared symbol by symbol",
        source="""
def round_trip(model, x):
    try:
        back = decode(model, encode(model, x), count=x.shape[0])
    except AssertionError:
        return False
    return bool((back == x).all())
""",
    ),
    Right(
        "round_trip",
        "as lists",
        source="""
def round_trip(model, x):
    message = encode(model, x)
    try:
        back = decode(model, message, len(x)).tolist()
    except AssertionError:
        back = None
    return back == x.tolist()
""",
    ),
    Right(
        "quantize",
        "vmap",
        source="""
def quantize(probs, bits=20):
    k = probs.shape[-1]
    if 1 << bits < k:
        raise ValueError("too few parts")
    def one(row):
        row = row / row.sum()
        parts = torch.floor(row * ((1 << bits) - k)).long() + 1
        best = torch.arange(k) == row.argmax()
        return parts + best * ((1 << bits) - parts.sum())
    return torch.func.vmap(one)(probs.double().reshape(-1, k)).reshape(probs.shape)
""",
    ),
    Right(
        "decode_learning",
        "recursion",
        source="""
def decode_learning(learn, files, sizes, n):
    from functools import reduce
    read = lambda x, item: torch.cat([x, decode(learn(x), *item)])
    return reduce(read, zip(files, sizes), torch.zeros(0, n, dtype=torch.int64))
""",
    ),
    Right(
        "round_trip",
        "by the number of differences",
        source="""
def round_trip(model, x):
    file = encode(model, x)
    try:
        return not (decode(model, file, x.size(0)) - x).abs().max().item()
    except AssertionError:
        return False
""",
    ),
    Right(
        "decode",
        "a stack of one's own, which is one large integer",
        source="""
class Stack:
    def __init__(self, state=1):
        self.state = state

    def push(self, symbol, table):
        f, below = int(table[symbol]), int(table[:symbol].sum())
        self.state = (self.state // f << BITS) + below + self.state % f

    def pop(self, table):
        slot = self.state & ((1 << BITS) - 1)
        ends = table.cumsum(0)
        symbol = int((ends <= slot).sum())
        f, below = int(table[symbol]), int(ends[symbol]) - int(table[symbol])
        self.state = f * (self.state >> BITS) + slot - below
        return symbol


def encode(model, x):
    tables, stack = quantize(model.conditionals(x), BITS).cpu(), Stack()
    for i in reversed(range(x.shape[1])):
        for b in reversed(range(len(x))):
            stack.push(int(x[b, i]), tables[b, i])
    return stack.state.to_bytes((stack.state.bit_length() + 7) // 8, "big")


def decode(model, message, count=1):
    stack = Stack(int.from_bytes(message, "big"))
    x = torch.zeros(count, model.n, dtype=torch.int64)
    for i in range(model.n):
        tables = quantize(model.conditionals(x), BITS).cpu()
        for b in range(count):
            x[b, i] = stack.pop(tables[b, i])
    return x
""",
    ),
)
