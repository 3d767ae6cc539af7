"""Right answers to lesson 13, temperature, written in other ways."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "temperature",
        "powers of probabilities, in logs",
        source="""
def temperature(logits, T):
    if T <= 0:
        raise ValueError("T > 0 is needed")
    scaled = torch.log_softmax(logits, -1) / T
    return (scaled - scaled.logsumexp(-1, keepdim=True)).exp()
""",
    ),
    Right(
        "temperature",
        "the largest taken away by hand, float64 inside",
        source="""
def temperature(logits, T):
    if not T > 0:
        raise ValueError(T)
    z = logits.double()
    e = torch.exp((z - z.max(dim=-1, keepdim=True).values) / T)
    return (e / e.sum(dim=-1, keepdim=True)).to(logits.dtype)
""",
    ),
    Right(
        "top_k",
        "everything else set to zero by a second sort",
        source="""
def top_k(probs, k):
    if k <= 0:
        raise ValueError(f"k = {k}")
    rank = torch.argsort(torch.argsort(-probs, dim=-1, stable=True), dim=-1, stable=True)
    kept = probs.masked_fill(rank >= k, 0.0)
    return kept / kept.sum(-1, keepdim=True)
""",
    ),
    Right(
        "top_k",
        "row by row in Python, float64",
        source="""
def top_k(probs, k):
    if k < 1:
        raise ValueError("at least one token must stay")
    rows = []
    for row in probs.reshape(-1, probs.shape[-1]).tolist():
        best = sorted(range(len(row)), key=lambda v: (-row[v], v))[:k]
        total = sum(row[v] for v in best)
        rows.append([row[v] / total if v in best else 0.0 for v in range(len(row))])
    return torch.tensor(rows, dtype=torch.float64).view(probs.shape)
""",
    ),
    Right(
        "top_p",
        "shifted cumulative sum, mask put back by a gather of ranks",
        source="""
def top_p(probs, p):
    if p <= 0 or p > 1:
        raise ValueError(f"p = {p}")
    ranked, order = torch.sort(probs, dim=-1, descending=True, stable=True)
    reached = ranked.cumsum(-1) >= p
    drop = torch.cat([torch.zeros_like(reached[..., :1]), reached[..., :-1]], dim=-1)
    if p == 1:
        drop = torch.zeros_like(drop)
    rank = order.argsort(dim=-1)
    kept = probs * ~drop.gather(-1, rank)
    return kept / kept.sum(-1, keepdim=True)
""",
    ),
    Right(
        "top_p",
        "row by row, adding up in Python",
        source="""
def top_p(probs, p):
    if not (0 < p <= 1):
        raise ValueError("p")
    out = torch.zeros_like(probs).reshape(-1, probs.shape[-1])
    for row, to in zip(probs.reshape(-1, probs.shape[-1]), out):
        held = 0.0
        for v in sorted(range(len(row)), key=lambda v: (-float(row[v]), v)):
            if held >= p and p < 1:
                break
            to[v] = row[v]
            held += float(row[v])
    out = out / out.sum(-1, keepdim=True)
    return out.reshape(probs.shape)
""",
    ),
    Right(
        "next_probs",
        "top-k on the logits, before the temperature: the same tokens",
        source="""
def next_probs(logits, T=1.0, k=None, p=1.0):
    if k is not None:
        keep = top_k(torch.softmax(logits, -1), k) > 0
        logits = logits.masked_fill(~keep, -math.inf)
    return top_p(temperature(logits, T), p)
""",
    ),
    Right(
        "greedy",
        "a list of tokens, argmax",
        source="""
def greedy(step, length):
    text, total = [], 0.0
    for _ in range(length):
        row = step(torch.tensor([text], dtype=torch.long).view(1, -1))[0]
        text.append(int(row.argmax()))
        total += row[text[-1]].item()
    return torch.tensor(text), total
""",
    ),
    Right(
        "greedy",
        "a tensor that is filled, the log-probability as a tensor",
        source="""
def greedy(step, length):
    tokens = torch.zeros(1, length, dtype=torch.int32)
    total = torch.zeros((), dtype=torch.float64)
    for t in range(length):
        value, index = torch.sort(step(tokens[:, :t].long())[0], descending=True, stable=True)
        tokens[0, t] = index[0]
        total = total + value[0]
    return tokens.squeeze(0), total
""",
    ),
    Right(
        "beam_search",
        "lists and sorted, prefixes asked one by one",
        source="""
def beam_search(step, width, length):
    beams = [((), 0.0)]
    for _ in range(length):
        grown = []
        for text, score in beams:
            row = step(torch.tensor(text, dtype=torch.long).view(1, -1))[0].tolist()
            grown += [((*text, v), score + log_p) for v, log_p in enumerate(row)]
        beams = sorted(grown, key=lambda b: b[1], reverse=True)[:width]
    return torch.tensor([t for t, _ in beams]), torch.tensor([s for _, s in beams])
""",
    ),
    Right(
        "beam_search",
        "width beams from the start, of which all but one have −inf",
        source="""
def beam_search(step, width, length):
    tokens = torch.zeros(1, 0, dtype=torch.long)
    scores = torch.zeros(1, dtype=torch.float64)
    for _ in range(length):
        log_p = step(tokens).double()
        V = log_p.shape[1]
        total = (scores.view(-1, 1) + log_p).reshape(-1)
        order = total.argsort(descending=True)[:width]
        scores = total[order]
        parent = torch.div(order, V, rounding_mode="floor")
        tokens = torch.hstack([tokens[parent], (order % V)[:, None]])
    return tokens, scores
""",
    ),
    Right(
        "score",
        "cross-entropy, bits first",
        source="""
def score(logits, tokens):
    bits = torch.nn.functional.cross_entropy(logits, tokens).item() / math.log(2)
    return bits, 2.0**bits
""",
    ),
    Right(
        "score",
        "tensors, logsumexp by hand",
        source="""
def score(logits, tokens):
    picked = logits[torch.arange(len(tokens)), tokens]
    nats = (torch.logsumexp(logits, 1) - picked).double().mean()
    return nats / torch.log(torch.tensor(2.0, dtype=torch.float64)), nats.exp()
""",
    ),
    Right(
        "joint_temperature",
        "logsumexp over all axes",
        source="""
def joint_temperature(p, T):
    z = torch.log(p) / T
    return torch.exp(z - torch.logsumexp(z.reshape(-1), 0))
""",
    ),
    Right(
        "joint_temperature",
        "powers, after dividing by the largest",
        source="""
def joint_temperature(p, T):
    q = (p.double() / p.max()) ** (1 / T)
    return (q / q.sum()).to(p.dtype)
""",
    ),
    Right(
        "tokenwise_temperature",
        "conditionals by division, powers in float64",
        source="""
def tokenwise_temperature(p, T):
    wide = p.double()
    q = torch.ones((), dtype=torch.float64)
    for t in range(p.dim()):
        later = tuple(range(t + 1, p.dim()))
        marginal = wide.sum(dim=later) if later else wide
        best = marginal.amax(-1, keepdim=True)
        power = torch.where(best > 0, marginal / best, torch.zeros_like(marginal)) ** (1 / T)
        total = power.sum(-1, keepdim=True)
        q = q[..., None] * torch.where(total > 0, power / total, torch.zeros_like(power))
    return q.to(p.dtype)
""",
    ),
    Right(
        "tokenwise_temperature",
        "from the first token on, by recursion",
        source="""
def tokenwise_temperature(p, T):
    if p.sum() == 0:
        return torch.zeros_like(p)
    first = p.reshape(len(p), -1).sum(1)
    q = torch.softmax(first.log() / T, 0)
    if p.dim() == 1:
        return q
    return torch.stack([q[v] * tokenwise_temperature(p[v], T) for v in range(len(p))])
""",
    ),
    Right(
        "drift",
        "inverse of the cumulative sum, float64, population deviation",
        source="""
def drift(model, source, count, length, generator):
    tokens = torch.zeros(count, 0, dtype=torch.long)
    mean, error = [], []
    for t in range(length):
        sums = model(tokens).double().exp().cumsum(1)
        u = torch.rand(count, 1, generator=generator, dtype=torch.float64) * sums[:, -1:]
        new = torch.searchsorted(sums, u).clamp(max=sums.shape[1] - 1)
        nll = -torch.log_softmax(source(tokens).double(), 1)[torch.arange(count), new[:, 0]]
        mean.append(nll.mean())
        error.append(((nll - nll.mean()).square().mean() / count).sqrt())
        tokens = torch.cat((tokens, new), 1)
    return torch.stack(mean), torch.stack(error)
""",
    ),
    Right(
        "drift",
        "all texts drawn first, judged afterwards",
        source="""
def drift(model, source, count, length, generator):
    tokens = torch.zeros(count, 0, dtype=torch.long)
    for _ in range(length):
        new = torch.multinomial(model(tokens).softmax(1), 1, generator=generator)
        tokens = torch.cat([tokens, new], dim=1)
    nll = torch.zeros(count, length)
    for t in range(length):
        nll[:, t] = -source(tokens[:, :t]).gather(1, tokens[:, t : t + 1])[:, 0]
    return nll.mean(0), nll.std(0) / count**0.5
""",
    ),
    Right(
        "temperature",
        "temperature by numpy",
        source="""
import numpy as np

def temperature(logits, T):
    if T <= 0 or T != T:
        raise ValueError(f"T must be above 0, and is {T}")
    z = np.asarray(logits, dtype=np.float64)
    e = np.exp((z - z.max(-1, keepdims=True)) / T)
    return torch.from_numpy(e / e.sum(-1, keepdims=True)).to(logits.dtype)
""",
    ),
    Right(
        "top_k",
        "recursion over axes, heapq",
        source="""
import heapq
def top_k(probs, k):
    if k < 1:
        raise ValueError("k counts tokens: at least 1")
    if probs.ndim > 1:
        return torch.stack([top_k(row, k) for row in probs])
    best = heapq.nlargest(k, range(len(probs)), key=lambda i: (float(probs[i]), -i))
    kept = torch.zeros_like(probs)
    kept[best] = probs[best]
    return kept / kept.sum()
""",
    ),
    Right(
        "top_p",
        "vmap",
        source="""
def top_p(probs, p):
    if p <= 0 or p > 1 or p != p:
        raise ValueError("p lies in (0, 1]")
    def one(row):
        if p == 1:
            return row / row.sum()
        values, order = torch.sort(row, descending=True, stable=True)
        above = torch.cat([values.new_zeros(1), values.cumsum(0)[:-1]])
        kept = torch.where(above < p, values, torch.zeros_like(values))
        return (kept / kept.sum())[order.argsort()]
    rows = probs.reshape(-1, probs.shape[-1])
    return torch.stack([one(row) for row in rows]).view_as(probs)
""",
    ),
    Right(
        "greedy",
        "greedy as a beam of one",
        source="""
def greedy(step, length, told=(), total=0.0):
    if length == 0:
        return torch.tensor(told, dtype=torch.long), total
    logs = step(torch.tensor([told], dtype=torch.long))[0].tolist()
    best = max(range(len(logs)), key=logs.__getitem__)
    return greedy(step, length - 1, (*told, best), total + logs[best])
""",
    ),
    Right(
        "score",
        "cross entropy",
        source="""
import numpy as np

def score(logits, tokens):
    nats = torch.nn.functional.cross_entropy(logits.double(), tokens)
    return float(nats / np.log(2)), float(nats.exp())
""",
    ),
    Right(
        "joint_temperature",
        "powers of shares of the largest text, which is 1 to every power",
        source="""
def joint_temperature(p, T):
    powers = (p / p.max()) ** (1 / T)
    return powers / powers.sum()
""",
    ),
    Right(
        "temperature",
        "logsumexp taken away from the divided logits",
        source="""
def temperature(logits, T):
    if T <= 0:
        raise ValueError(f"T must be positive: got {T}")
    z = logits / T
    return (z - z.logsumexp(dim=-1, keepdim=True)).exp()
""",
    ),
    Right(
        "next_probs",
        how="the temperature of log-probabilities",
        edit=("temperature(logits, T)", "temperature(logits.log_softmax(dim=-1), T)"),
    ),
)
