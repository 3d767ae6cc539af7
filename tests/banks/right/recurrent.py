"""Right answers to lesson 11, recurrent, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "rnn_step",
        "one product of what is joined",
        source="""
def rnn_step(x, h, W, U, b):
    both = torch.cat([x, h], dim=1)
    return torch.tanh(F.linear(both, torch.cat([W, U], dim=1), b))
""",
    ),
    Right(
        "rnn_step",
        "einsum, and tanh by sigmoid",
        source="""
def rnn_step(x, h, W, U, b):
    z = torch.einsum("bd,hd->bh", x, W) + torch.einsum("bk,hk->bh", h, U) + b
    return 2 * torch.sigmoid(2 * z) - 1
""",
    ),
    Right(
        "unroll",
        "torch.unbind, and a running state",
        source="""
def unroll(step, x, h):
    found = [h.unsqueeze(1)]
    for symbol in x.unbind(1):
        h = step(symbol, h)
        found.append(h.unsqueeze(1))
    return torch.cat(found, 1)
""",
    ),
    Right(
        "unroll",
        "written into an array",
        source="""
def unroll(step, x, h):
    states = torch.empty(x.shape[0], x.shape[1] + 1, h.shape[1], dtype=h.dtype)
    states[:, 0] = h
    for t in range(x.shape[1]):
        h = step(x[:, t], h)
        states[:, t + 1] = h
    return states
""",
    ),
    Right(
        "gru_step",
        "gate by gate, with slices",
        source="""
def gru_step(x, h, W, U, b, c):
    H = h.shape[1]
    def both(k):
        rows = slice(k * H, (k + 1) * H)
        return F.linear(x, W[rows], b[rows]), F.linear(h, U[rows], c[rows])
    r = torch.sigmoid(sum(both(0)))
    z = torch.sigmoid(sum(both(1)))
    here, there = both(2)
    proposal = torch.tanh(here + r * there)
    return proposal + z * (h - proposal)
""",
    ),
    Right(
        "gru_step",
        "in single precision, whatever comes in: its gradient is there in full",
        edit=(
            "    r, z, n = (x @",
            "    x, h, W, U, b, c = (one.float() for one in (x, h, W, U, b, c))\n"
            "    r, z, n = (x @",
        ),
    ),
    Right(
        "gru_step",
        "PyTorch's own cell",
        source="""
def gru_step(x, h, W, U, b, c):
    return torch.gru_cell(x, h, W, U, b, c)
""",
    ),
    Right(
        "nll",
        "text by text",
        source="""
def nll(logits, x, lengths):
    costs = []
    for row, text, length in zip(logits, x, lengths.tolist()):
        targets = torch.cat([text[:length], torch.zeros(1, dtype=torch.long)])
        costs.append(F.cross_entropy(row[: length + 1], targets, reduction="sum"))
    return torch.stack(costs)
""",
    ),
    Right(
        "nll",
        "gathered, with places to ignore",
        source="""
def nll(logits, x, lengths):
    B, T = x.shape
    targets = torch.full((B, T + 1), -100)
    for i, length in enumerate(lengths):
        targets[i, :length] = x[i, :length]
        targets[i, length] = END
    logs = logits.log_softmax(-1)
    costs = -logs.gather(2, targets.clamp(min=0)[:, :, None]).squeeze(2)
    return costs.masked_fill(targets == -100, 0).sum(1)
""",
    ),
    Right(
        "truncated_backprop",
        "detached on the way in, windows by split",
        source="""
def truncated_backprop(step, loss, x, h, window, update):
    losses = []
    for part in x.split(window, dim=1):
        states = unroll(step, part, h.detach())
        value = loss(states[:, : part.shape[1]], part)
        value.backward()
        losses.append(value.detach())
        update()
        h = states[:, part.shape[1]]
    return float(sum(losses)), h.detach()
""",
    ),
    Right(
        "truncated_backprop",
        "a loop of its own",
        source="""
def truncated_backprop(step, loss, x, h, window, update):
    total, t = torch.zeros(()), 0
    while t < x.shape[1]:
        seen, until = [], min(t + window, x.shape[1])
        first = t
        while t < until:
            seen.append(h)
            h = step(x[:, t], h)
            t += 1
        value = loss(torch.stack(seen, 1), x[:, first:until])
        value.backward()
        update()
        h = h.detach().clone()
        total = total + value.detach()
    return total.item(), h
""",
    ),
    Right(
        "sample",
        "Gumbel's trick",
        source="""
def sample(step, logits, h, limit, generator=None):
    x = torch.zeros(len(h), limit, dtype=torch.long)
    alive = torch.ones(len(h), dtype=torch.bool)
    for t in range(limit):
        z = logits(h).log_softmax(-1)
        u = torch.rand(z.shape, generator=generator, dtype=torch.float64)
        drawn = (z - torch.log(-torch.log(u))).argmax(-1)
        x[:, t] = drawn * alive
        alive &= drawn != END
        h = step(x[:, t], h)
    return x
""",
    ),
    Right(
        "sample",
        "only texts that go on are stepped, and it stops when none does",
        source="""
def sample(step, logits, h, limit, generator=None):
    x = torch.full((len(h), limit), END)
    rows = torch.arange(len(h))
    for t in range(limit):
        if len(rows) == 0:
            break
        p = logits(h).softmax(-1)
        drawn = torch.multinomial(p, 1, generator=generator).squeeze(1)
        x[rows, t] = drawn
        going = drawn != END
        rows, drawn, h = rows[going], drawn[going], h[going]
        if len(rows) and t + 1 < limit:
            h = step(drawn, h)
    return x
""",
    ),
    Right(
        "scan",
        "halves joined by recursion",
        source="""
def scan(a, b):
    def join(a, b):
        T = a.shape[1]
        if T == 1:
            return a, b
        even = T // 2 * 2
        A = a[:, 1:even:2] * a[:, 0:even:2]
        B = a[:, 1:even:2] * b[:, 0:even:2] + b[:, 1:even:2]
        A, B = join(A, B)
        out_a, out_b = a.clone(), b.clone()
        out_a[:, 1:even:2], out_b[:, 1:even:2] = A, B
        rest = a[:, 2::2].shape[1]
        out_a[:, 2::2] = a[:, 2::2] * A[:, :rest]
        out_b[:, 2::2] = a[:, 2::2] * B[:, :rest] + b[:, 2::2]
        return out_a, out_b
    return join(a, b)[1]
""",
    ),
    Right(
        "scan",
        "rounds with padding",
        source="""
def scan(a, b):
    d = 1
    while d < b.size(1):
        pad = (0, 0, d, 0)
        earlier_a = F.pad(a, pad, value=1.0)[:, : b.size(1)]
        earlier_b = F.pad(b, pad)[:, : b.size(1)]
        a, b = a * earlier_a, a * earlier_b + b
        d <<= 1
    return b
""",
    ),
)
