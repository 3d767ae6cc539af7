"""Right answers to lesson 06, KL, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "entropy",
        "a loop with math.log",
        source="""
def entropy(p):
    total = 0.0
    for value in p.tolist():
        if value > 0:
            total -= value * math.log(value)
    return total
""",
    ),
    Right(
        "entropy",
        "scipy's entr, as a 0-d tensor",
        source="""
import torch
from scipy.special import entr

def entropy(p):
    return torch.tensor(entr(p)).sum()
""",
    ),
    Right(
        "cross_entropy",
        "np.where, and zeros of p multiplied away",
        source="""
def cross_entropy(p, q):
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(p > 0, -p * np.log(q), 0.0).sum())
""",
    ),
    Right(
        "cross_entropy",
        "xlogy",
        source="""
from scipy.special import xlogy

def cross_entropy(p, q):
    return -xlogy(p, q).sum()
""",
    ),
    Right(
        "kl",
        "the difference of what is there",
        edit=(
            "return (p[seen] * (np.log(p[seen]) - np.log(q[seen]))).sum()",
            "return cross_entropy(p, q) - entropy(p)",
        ),
    ),
    Right(
        "kl",
        "scipy's rel_entr",
        source="""
from scipy.special import rel_entr

def kl(p, q):
    return rel_entr(p, q).sum()
""",
    ),
    Right(
        "kl",
        "torch's kl_div with logs",
        source="""
import torch
import torch.nn.functional as F

def kl(p, q):
    p, q = torch.tensor(p)[p > 0], torch.tensor(q)[p > 0]
    return F.kl_div(q.log(), p, reduction="sum")
""",
    ),
    Right(
        "perplexity",
        "two to the bits",
        source="""
def perplexity(log_probs):
    return 2.0 ** (-sum(log_probs) / len(log_probs) / math.log(2))
""",
    ),
    Right(
        "perplexity",
        "a geometric mean by exp of the sum over n",
        source="""
def perplexity(log_probs):
    return 1 / np.exp(log_probs.sum() / log_probs.size)
""",
    ),
    Right(
        "bits_per_token",
        "the binary logarithm of the perplexity",
        source="""
def bits_per_token(log_probs):
    return np.log2(perplexity(log_probs))
""",
    ),
    Right(
        "bits_per_token",
        "token by token",
        source="""
def bits_per_token(log_probs):
    return float(np.mean([-score * math.log2(math.e) for score in log_probs]))
""",
    ),
    Right(
        "mle_equals_kl",
        "np.unique, a list, and nothing of the other exercises",
        source="""
def mle_equals_kl(samples, q):
    values, counts = np.unique(samples, return_counts=True)
    share = counts / counts.sum()
    nll = sum(-math.log(q[x]) if q[x] else math.inf for x in samples) / len(samples)
    return [nll, -(share * np.log(share)).sum(), (share * np.log(share / q[values])).sum()]
""",
    ),
    Right(
        "fit_forward",
        "np.average",
        source="""
def fit_forward(p, grid):
    mu = np.average(grid, weights=p)
    return np.array([mu, np.average((grid - mu) ** 2, weights=p) ** 0.5])
""",
    ),
    Right(
        "fit_forward",
        "trapezoids, and the second moment less the squared mean",
        source="""
from scipy.integrate import trapezoid

def fit_forward(p, grid):
    mass, first, second = (trapezoid(p * grid**k, grid) for k in range(3))
    mean = first / mass
    return float(mean), float(math.sqrt(second / mass - mean**2))
""",
    ),
    Right(
        "fit_reverse",
        "slopes by differences, at a decaying rate",
        source="""
def fit_reverse(p, grid, start):
    dx, log_p = grid[1] - grid[0], np.log(p)

    def value(mu, s):
        log_q = -0.5 * ((grid - mu) / np.exp(s)) ** 2 - s - 0.5 * np.log(2 * np.pi)
        return (np.exp(log_q) * (log_q - log_p)).sum() * dx

    mu, s, h = start[0], np.log(start[1]), 1e-5
    for step in range(1500):
        slope_mu = (value(mu + h, s) - value(mu - h, s)) / (2 * h)
        slope_s = (value(mu, s + h) - value(mu, s - h)) / (2 * h)
        mu, s = mu - 0.03 * slope_mu, s - 0.03 * slope_s
    return mu, np.exp(s)
""",
    ),
    Right(
        "fit_reverse",
        "torch's autograd and Adam",
        source="""
import torch

def fit_reverse(p, grid, start):
    x, log_p = torch.tensor(grid), torch.tensor(p).log()
    mu = torch.tensor(float(start[0]), dtype=torch.float64, requires_grad=True)
    s = torch.tensor(math.log(start[1]), dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([mu, s], lr=0.02)
    for _ in range(600):
        log_q = torch.distributions.Normal(mu, s.exp()).log_prob(x)
        loss = (log_q.exp() * (log_q - log_p)).sum() * (x[1] - x[0])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return mu.detach(), s.exp().detach()
""",
    ),
    Right(
        "fit_reverse",
        "weights of q that sum to 1, and natural steps",
        source="""
def fit_reverse(p, grid, start):
    mu, sigma = start
    for _ in range(1500):
        z = (grid - mu) / sigma
        log_q = -z * z / 2
        w = np.exp(log_q)
        w = w / w.sum()
        r = log_q - np.log(sigma) - np.log(p)
        mu, sigma = (
            mu - 0.02 * sigma * (w * z * r).sum(),
            sigma * np.exp(-0.01 * (w * (z * z - 1) * r).sum()),
        )
    return mu, sigma
""",
    ),
    Right(
        "fit_reverse",
        "sigma known in the loop only, so that it cannot do with no step",
        source="""
def fit_reverse(p, grid, start, rate=0.02, steps=2000):
    mu, log_sigma = start[0], math.log(start[1])
    dx = np.diff(grid).mean()
    for _ in range(steps):
        width = math.exp(log_sigma)
        u = (grid - mu) / width
        q = np.exp(-u * u / 2) / (width * math.sqrt(2 * math.pi))
        r = -u * u / 2 - math.log(width * math.sqrt(2 * math.pi)) - np.log(p)
        mu = mu - rate * np.sum(q * r * u) * dx / width
        log_sigma = log_sigma - rate * np.sum(q * r * (u * u - 1)) * dx
    return mu, width
""",
    ),
    Right(
        "entropy",
        "scipy entr",
        source="""
from scipy.special import entr
def entropy(p):
    return sum(entr(p).tolist())
""",
    ),
    Right(
        "kl",
        "lambda of differences",
        source="""
kl = lambda p, q: cross_entropy(p, q) - entropy(p)
""",
    ),
    Right(
        "perplexity",
        "partial",
        source="""
import functools
def _to_the(base, log_probs):
    return base ** (-np.average(log_probs))
perplexity = functools.partial(_to_the, np.e)
""",
    ),
    Right(
        "mle_equals_kl",
        "kl as the difference, Counter",
        source="""
from collections import Counter
def mle_equals_kl(samples, q):
    counts = Counter(np.asarray(samples).tolist())
    n = sum(counts.values())
    f = np.array([counts[k] / n for k in range(len(q))])
    return cross_entropy(f, q), entropy(f), cross_entropy(f, q) - entropy(f)
""",
    ),
)
