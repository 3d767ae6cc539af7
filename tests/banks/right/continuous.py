"""Right answers to lesson 07, continuous, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "histogram_nll",
        "numpy's unique counts, in double precision",
        source="""
def histogram_nll(x, train, levels, alpha):
    counts = np.full(levels, float(alpha))
    found, how_often = np.unique(train.numpy(), return_counts=True)
    counts[found] += how_often
    with np.errstate(divide="ignore"):
        return torch.from_numpy(-np.log(counts / counts.sum()))[x]
""",
    ),
    Right(
        "histogram_nll",
        "one-hot rows",
        edit=(
            "torch.bincount(train, minlength=levels)",
            "F.one_hot(train, levels).sum(0).double()",
        ),
    ),
    Right(
        "gaussian_nll",
        "torch.distributions",
        source="""
def gaussian_nll(x, mu, sigma):
    return -torch.distributions.Normal(mu, sigma).log_prob(x)
""",
    ),
    Right(
        "gaussian_nll",
        "the logarithm of the variance",
        source="""
def gaussian_nll(x, mu, sigma):
    return 0.5 * ((x - mu) ** 2 / sigma**2 + torch.log(2 * torch.pi * sigma**2))
""",
    ),
    Right(
        "mixture_nll",
        "torch.distributions",
        source="""
def mixture_nll(x, logits, mu, sigma):
    D = torch.distributions
    return -D.MixtureSameFamily(D.Categorical(logits=logits), D.Normal(mu, sigma)).log_prob(x)
""",
    ),
    Right(
        "mixture_nll",
        "the largest exponent taken out by hand",
        source="""
def mixture_nll(x, logits, mu, sigma):
    w = logits - torch.logsumexp(logits, -1, keepdim=True)
    terms = w - gaussian_nll(x.unsqueeze(-1), mu, sigma)
    most = terms.max(-1, keepdim=True).values.detach()
    return -(most.squeeze(-1) + torch.log(torch.exp(terms - most).sum(-1)))
""",
    ),
    Right(
        "discretized_logistic_mixture",
        "softplus, a difference of exponentials inside",
        source="""
def discretized_logistic_mixture(x, logits, mu, scale, levels):
    x = x.unsqueeze(-1).double()
    a, b = (x - mu + 0.5) / scale, (x - mu - 0.5) / scale
    bins = -F.softplus(-a) - F.softplus(b) + torch.log1p(-torch.exp(b - a))
    bins = torch.where(x < 0.5, -F.softplus(-a), bins)
    bins = torch.where(x > levels - 1.5, -F.softplus(b), bins)
    return (bins + logits.log_softmax(-1)).logsumexp(-1)
""",
    ),
    Right(
        "discretized_logistic_mixture",
        "open ends as infinite bounds",
        source="""
def discretized_logistic_mixture(x, logits, mu, scale, levels):
    x = x[:, None].to(mu.dtype)
    infinity = torch.full_like(x, math.inf)
    high = torch.where(x == levels - 1, infinity, x + 0.5)
    low = torch.where(x == 0, -infinity, x - 0.5)
    a, b = (high - mu) / scale, (low - mu) / scale
    inside = torch.log(-torch.expm1(-(a - b)))
    return torch.logsumexp(logits.log_softmax(-1) + F.logsigmoid(a) + F.logsigmoid(-b) + inside, -1)
""",
    ),
    Right(
        "sample",
        "torch.distributions choose, and a loop draws",
        source="""
def sample(logits, mu, scale, count, levels, generator=None):
    u = torch.rand(2, count, generator=generator, dtype=torch.float64)
    chosen = torch.searchsorted(logits.softmax(-1).cumsum(-1), u[0]).clamp(max=len(mu) - 1)
    x = mu[chosen] - scale[chosen] * torch.log(1 / u[1] - 1)
    return torch.floor(x + 0.5).clip(0, levels - 1).to(torch.int64)
""",
    ),
    Right(
        "sample",
        "the table of all levels",
        source="""
def sample(logits, mu, scale, count, levels, generator=None):
    p = discretized_logistic_mixture(torch.arange(levels), logits, mu, scale, levels).exp()
    return torch.multinomial(p, count, replacement=True, generator=generator)
""",
    ),
    Right(
        "dequantize",
        "in double precision, backwards",
        source="""
def dequantize(x, levels, generator=None):
    u = torch.empty(x.shape, dtype=torch.float64).uniform_(0, 1, generator=generator)
    return (x.double() + 1 - u) / levels
""",
    ),
    Right(
        "bits_per_dim",
        "all nats first",
        edit=(
            "return nll / (dims * math.log(2)) + math.log2(levels)",
            "return (nll / dims + math.log(levels)) / math.log(2)",
        ),
    ),
    Right(
        "pit",
        "torch.distributions",
        source="""
def pit(x, logits, mu, sigma):
    below = torch.distributions.Normal(mu, sigma).cdf(x[:, None])
    return torch.einsum("...k,bk->b", logits.softmax(-1).expand_as(below)[0], below) if (
        logits.ndim == 1
    ) else (logits.softmax(-1) * below).sum(1)
""",
    ),
    Right(
        "pit",
        "the complementary error function",
        edit=(
            "torch.special.ndtr((x[:, None] - mu) / sigma)",
            "0.5 * torch.erfc((mu - x[:, None]) / (sigma * math.sqrt(2)))",
        ),
    ),
    Right(
        "sample",
        "exponential races for the component, log u − log(1 − u)",
        source="""
def sample(logits, mu, scale, count, levels, generator=None):
    race = torch.empty(count, len(logits), dtype=torch.float64)
    which = (logits - race.exponential_(generator=generator).log()).argmax(1)
    u = torch.rand(count, generator=generator, dtype=torch.float64)
    y = mu[which] + scale[which] * (u.log() - torch.log1p(-u))
    return torch.floor(y + 0.5).clamp(0, levels - 1).to(torch.int64)
""",
    ),
)
