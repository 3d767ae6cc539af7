"""Right answers to lesson 04, NADE, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "nade_naive",
        "bits that are masked, W whole",
        source="""
def nade_naive(x, W, c, V, b):
    n, answer = len(b), []
    for i in range(n):
        known = torch.arange(n) < i
        h = torch.sigmoid(F.linear(x * known, W, c))
        answer.append((h * V[i]).sum(1, keepdim=True) + b[i])
    return torch.cat(answer, dim=1)
""",
    ),
    Right(
        "nade_naive",
        "all steps at once, einsum",
        source="""
def nade_naive(x, W, c, V, b):
    seen = torch.ones(len(b), len(b), dtype=x.dtype).tril(-1)
    a = torch.einsum("ij,hj,bj->bih", seen, W, x) + c
    return torch.einsum("bih,ih->bi", a.sigmoid(), V) + b
""",
    ),
    Right(
        "nade_naive",
        "the sweep itself",
        source="""
def nade_naive(x, W, c, V, b):
    a, out = c[None].repeat(len(x), 1), []
    for i, (column, row) in enumerate(zip(W.unbind(1), V.unbind(0))):
        out.append(F.linear(a.sigmoid(), row[None], b[i : i + 1]))
        a = torch.addcmul(a, x[:, [i]], column[None])
    return torch.cat(out, 1)
""",
    ),
    Right(
        "nade",
        "cumulative sums, all steps at once in O(n h)",
        source="""
def nade(x, W, c, V, b):
    added = x[:, :-1, None] * W.T[:-1]  # (B, n-1, h)
    a = torch.cat([c.expand(len(x), 1, -1), c + added.cumsum(dim=1)], dim=1)
    return (torch.sigmoid(a) * V).sum(-1) + b
""",
    ),
    Right(
        "nade",
        "columns by outer products, a tensor that is filled",
        source="""
def nade(x, W, c, V, b):
    logits = torch.empty_like(x)
    a = c.repeat(x.shape[0], 1)
    for i in range(x.shape[1]):
        logits[:, i] = torch.mv(1 / (1 + torch.exp(-a)), V[i]) + b[i]
        a = a + torch.outer(x[:, i], W[:, i])
    return logits
""",
    ),
    Right(
        "nade",
        "examples one after the other",
        source="""
def nade(x, W, c, V, b):
    rows = []
    for example in x:
        a, row = c, []
        for bit, column, votes, bias in zip(example, W.T, V, b):
            row.append(bias + votes @ a.sigmoid())
            a = a + bit * column
        rows.append(torch.stack(row))
    return torch.stack(rows)
""",
    ),
    Right(
        "nade",
        "float64 inside, adds only where the bit is 1",
        source="""
def nade(x, W, c, V, b):
    a, out = c.double().expand(len(x), -1), []
    for i in range(len(b)):
        out.append(torch.sigmoid(a) @ V[i].double() + b[i].double())
        a = torch.where(x[:, i : i + 1] > 0.5, a + W[:, i].double(), a)
    return torch.stack(out, 1).to(x.dtype)
""",
    ),
    Right(
        "sample",
        "uniform numbers, a tensor that is filled",
        source="""
def sample(W, c, V, b, count, generator):
    n = b.shape[0]
    u = torch.rand(n, count, generator=generator)
    x = torch.zeros(count, n)
    a = c.repeat(count, 1)
    for i in range(n):
        x[:, i] = (u[i] < torch.sigmoid((a.sigmoid() * V[i]).sum(1) + b[i])).float()
        a += torch.outer(x[:, i], W[:, i])
    return x
""",
    ),
    Right(
        "sample",
        "columns that are added by selection, float64",
        source="""
def sample(W, c, V, b, count, generator):
    W, c, V, b = (p.double() for p in (W, c, V, b))
    a, bits = c.expand(count, len(c)), []
    for i in range(len(b)):
        p = torch.sigmoid(F.linear(a.sigmoid(), V[i : i + 1], b[i : i + 1]))  # (count, 1)
        bit = torch.bernoulli(p, generator=generator)
        bits.append(bit)
        a = torch.where(bit == 1, a + W[:, i], a)
    return torch.cat(bits, dim=1)
""",
    ),
    Right(
        "autoencoder_dependencies",
        "pairs of vectors one after the other, numpy",
        source="""
import itertools
import numpy as np


def autoencoder_dependencies(model):
    n = model.n
    answers = {}
    for word in itertools.product((0.0, 1.0), repeat=n):
        answers[word] = model(torch.tensor([word]))[0].detach().numpy()
    found = np.zeros((n, n), dtype=bool)
    for word, out in answers.items():
        for j in range(n):
            other = word[:j] + (1 - word[j],) + word[j + 1 :]
            found[:, j] |= np.abs(out - answers[other]) > 1e-6
    return found
""",
    ),
    Right(
        "autoencoder_dependencies",
        "bits of whole numbers, zero against one",
        source="""
def autoencoder_dependencies(model):
    codes = torch.arange(2**model.n)
    x = (codes[:, None] >> torch.arange(model.n)) & 1
    D = torch.zeros(model.n, model.n, dtype=torch.bool)
    for j in range(model.n):
        zero, one = x.clone().float(), x.clone().float()
        zero[:, j], one[:, j] = 0, 1
        change = (model(zero) - model(one)).abs()
        D[:, j] = change.amax(0) > 1e-6
    return D
""",
    ),
    Right(
        "autoencoder_dependencies",
        "equal up to rounding",
        edit=("(model(turned) != before)", "(~torch.isclose(model(turned), before))"),
    ),
    Right(
        "autoencoder_dependencies",
        "zeros and ones as int64",
        edit=("return torch.stack(columns, dim=1)", "return torch.stack(columns, dim=1).long()"),
    ),
    Right(
        "nade_parameters",
        "the arrays themselves",
        source="""
import math

def nade_parameters(n, hidden):
    shapes = [(hidden, n), (hidden,), (n, hidden), (n,)]
    return sum(math.prod(shape) for shape in shapes)
""",
    ),
    Right(
        "nade_parameters",
        "variable by variable",
        source="""
def nade_parameters(n, hidden):
    count = hidden
    for _ in range(n):
        count += 2 * hidden + 1
    return count
""",
    ),
    Right(
        "nade_scan",
        "each sum less its own term",
        edit=("F.pad(sums[:, :-1], (0, 0, 1, 0))", "(sums - x[:, :, None] * W.T)"),
    ),
    Right(
        "nade_scan",
        "products by einsum, c in front of the columns",
        source="""
def nade_scan(x, W, c, V, b):
    terms = torch.einsum("bj,hj->bjh", x, W)[:, :-1]
    a = torch.cat([c.expand(len(x), 1, -1), terms], dim=1).cumsum(dim=1)
    return torch.einsum("bnh,nh->bn", torch.sigmoid(a), V) + b
""",
    ),
    Right(
        "nade_scan",
        "sums by doubling, in a number of steps that grows like the logarithm of n",
        source="""
def nade_scan(x, W, c, V, b):
    sums, step = F.pad(x[:, :-1, None] * W.T[:-1], (0, 0, 1, 0)), 1
    while step < len(b):
        sums = sums + F.pad(sums[:, :-step], (0, 0, step, 0))
        step *= 2
    return (torch.sigmoid(c + sums) * V).sum(dim=2) + b
""",
    ),
)
