"""Right answers to lesson 03, FVSBN, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "logits",
        "one bit at a time",
        source="""
def logits(x, weight, bias):
    columns = [x[:, :i] @ weight[i, :i] + bias[i] for i in range(len(bias))]
    return torch.stack(columns, dim=1)
""",
    ),
    Right(
        "logits",
        "a mask of bools, F.linear",
        source="""
def logits(x, weight, bias):
    n = bias.shape[0]
    place = torch.arange(n)
    return F.linear(x, weight.masked_fill(place[None, :] >= place[:, None], 0.0), bias)
""",
    ),
    Right(
        "logits",
        "einsum with a mask of ones",
        source="""
def logits(x, weight, bias):
    mask = torch.ones_like(weight).tril(diagonal=-1)
    return torch.einsum("bj,ij->bi", x, weight * mask) + bias[None]
""",
    ),
    Right(
        "logits",
        "all votes, less those of the bits that do not count",
        source="""
def logits(x, weight, bias):
    return x @ weight.T - x @ torch.triu(weight).T + bias
""",
    ),
    Right(
        "nll",
        "softplus of the signed logit",
        source="""
def nll(x, weight, bias):
    return F.softplus((1 - 2 * x) * logits(x, weight, bias)).sum(-1)
""",
    ),
    Right(
        "nll",
        "the formula of the lesson, bit by bit",
        source="""
def nll(x, weight, bias):
    score, total = logits(x, weight, bias), 0
    for i in range(len(bias)):
        total = total + torch.logaddexp(score[:, i], torch.zeros(())) - x[:, i] * score[:, i]
    return total
""",
    ),
    Right(
        "nll",
        "torch.distributions",
        source="""
def nll(x, weight, bias):
    coins = torch.distributions.Bernoulli(logits=logits(x, weight, bias))
    return -coins.log_prob(x).sum(1)
""",
    ),
    Right(
        "sample",
        "one logit a step, uniform numbers, a list of columns",
        source="""
def sample(weight, bias, count, generator):
    x = torch.empty(count, 0)
    for i in range(bias.shape[0]):
        p = torch.sigmoid(x @ weight[i, :i] + bias[i])
        bit = (torch.rand(count, generator=generator) < p).float()
        x = torch.cat([x, bit[:, None]], dim=1)
    return x
""",
    ),
    Right(
        "sample",
        "example by example, noise drawn beforehand",
        source="""
def sample(weight, bias, count, generator):
    n = len(bias)
    noise = torch.rand(count, n, generator=generator, dtype=torch.float64)
    rows = []
    strict = torch.tril(weight, -1).double()
    x = torch.zeros(count, n, dtype=torch.float64)
    for i in range(n):
        x[:, i] = (noise[:, i] < torch.sigmoid(x @ strict[i] + bias[i])).double()
    return x
""",
    ),
    Right(
        "sample",
        "an empty beginning, completed",
        source="""
def sample(weight, bias, count, generator):
    x = torch.full((count, len(bias)), -7.0)  # what is not drawn may hold anything
    for i in range(len(bias)):
        x[:, i] = torch.bernoulli(logits(x, weight, bias)[:, i].sigmoid(), generator=generator)
    return x
""",
    ),
    Right(
        "sample",
        "multinomial draws of two outcomes",
        source="""
def sample(weight, bias, count, generator):
    x = torch.ones(count, len(bias))
    for i in range(len(bias)):
        two = torch.stack([-logits(x, weight, bias)[:, i], logits(x, weight, bias)[:, i]], 1)
        drawn = torch.multinomial(two.sigmoid(), 1, generator=generator)
        x[:, i] = drawn[:, 0].float()
    return x
""",
    ),
    Right(
        "complete",
        "the prefix grows by a column a step",
        source="""
def complete(prefix, weight, bias, generator):
    x = prefix.clone()
    while x.shape[1] < len(bias):
        i = x.shape[1]
        p = torch.sigmoid((x * weight[i, :i]).sum(1) + bias[i])
        x = torch.cat([x, torch.bernoulli(p, generator=generator)[:, None]], 1)
    return x
""",
    ),
    Right(
        "complete",
        "padded to full width, binomial draws, float64",
        source="""
def complete(prefix, weight, bias, generator):
    k, n = prefix.shape[1], bias.numel()
    x = F.pad(prefix, (0, n - k)).double()
    for i in range(k, n):
        p = torch.sigmoid(logits(x, weight.double(), bias.double()))[:, i]
        x[:, i] = torch.binomial(torch.ones_like(p), p, generator=generator)
    return x
""",
    ),
    Right(
        "complete",
        "a bit more on each call of itself",
        source="""
def complete(prefix, weight, bias, generator):
    i = prefix.shape[1]
    if i == len(bias):
        return prefix.clone()
    p = torch.sigmoid(bias[i] + prefix @ weight[i, :i])
    bit = (torch.rand(len(prefix), generator=generator) < p).to(prefix.dtype)
    return complete(torch.cat([prefix, bit[:, None]], 1), weight, bias, generator)
""",
    ),
)
