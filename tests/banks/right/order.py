"""Right answers to lesson 08, order, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "marginal_x2",
        "the formula itself, both bumps on a new axis",
        source="""
def marginal_x2(x2, mu, eps):
    away = np.asarray(x2)[..., None] - np.asarray(mu)
    return (np.exp(-away**2 / (2 * eps)) / np.sqrt(2 * np.pi * eps)).mean(-1)
""",
    ),
    Right(
        "marginal_x2",
        "torch distributions",
        source="""
def marginal_x2(x2, mu, eps):
    x = torch.as_tensor(x2, dtype=torch.float64)
    bumps = [torch.distributions.Normal(torch.tensor(m, dtype=torch.float64), eps**0.5) for m in mu]
    return sum(bump.log_prob(x).exp() for bump in bumps) / 2
""",
    ),
    Right(
        "marginal_x2",
        "a loop over numbers with math",
        source="""
import math

def marginal_x2(x2, mu, eps):
    def at(t):
        return sum(math.exp(-((t - m) ** 2) / (2 * eps)) for m in mu) / math.sqrt(8 * math.pi * eps)
    return np.vectorize(at)(x2)
""",
    ),
    Right(
        "reverse_posterior",
        "Bayes' rule in log-space",
        source="""
def reverse_posterior(x1, x2, mu, eps):
    sigma = np.sqrt(eps)
    below, above = norm.logpdf(x2, mu[0], sigma), norm.logpdf(x2, mu[1], sigma)
    evidence = np.logaddexp(below, above) - np.log(2)
    return np.exp(norm.logpdf(x1) + np.where(np.asarray(x1) > 0, above, below) - evidence)
""",
    ),
    Right(
        "reverse_posterior",
        "two half-normals, weighted",
        source="""
from scipy.stats import halfnorm

def reverse_posterior(x1, x2, mu, eps):
    t = (mu[1] - mu[0]) * (np.asarray(x2) - sum(mu) / 2) / eps
    x1 = np.asarray(x1)
    lower = np.where(x1 == 0, 2 * norm.pdf(0), halfnorm.pdf(-x1))
    return np.where(x1 > 0, expit(t) * halfnorm.pdf(x1), expit(-t) * lower)
""",
    ),
    Right(
        "reverse_posterior",
        "tanh, and the sign of x1",
        source="""
def reverse_posterior(x1, x2, mu, eps):
    lean = np.tanh((mu[1] - mu[0]) * (x2 - (mu[0] + mu[1]) / 2) / (2 * eps))
    sign = 2 * (np.asarray(x1) > 0) - 1
    return norm.pdf(x1) * (1 + sign * lean)
""",
    ),
    Right(
        "best_reverse_gaussian",
        "by algebra",
        source="""
def best_reverse_gaussian(mu, eps):
    def conditional(x2):
        w = expit((mu[1] - mu[0]) * (np.asarray(x2) - sum(mu) / 2) / eps)
        mean = np.sqrt(2 / np.pi) * (2 * w - 1)
        return mean, 1 - mean**2
    return sum(mu) / 2, eps + (mu[1] - mu[0]) ** 2 / 4, conditional
""",
    ),
    Right(
        "best_reverse_gaussian",
        "quad, one number at a time; x2's moments by quad over the bumps",
        source="""
from scipy.integrate import quad

def best_reverse_gaussian(mu, eps):
    reach = 10 * np.sqrt(eps)
    ends = min(mu) - reach, max(mu) + reach
    middle = sum(mu) / 2

    def over_x2(f):
        return quad(lambda t: f(t) * marginal_x2(t, mu, eps), *ends, points=list(mu), limit=200)[0]

    mean2 = over_x2(lambda t: t)
    var2 = over_x2(lambda t: (t - mean2) ** 2)

    def one(t):
        def over_x1(k):
            f = lambda x1: x1**k * reverse_posterior(x1, t, mu, eps)
            return quad(f, -np.inf, 0)[0] + quad(f, 0, np.inf)[0]
        mean = over_x1(1)
        return mean, over_x1(2) - mean**2

    def conditional(x2):
        pairs = np.array([one(t) for t in np.ravel(x2)])
        return pairs[:, 0].reshape(np.shape(x2)), pairs[:, 1].reshape(np.shape(x2))

    return mean2, var2, conditional
""",
    ),
    Right(
        "best_reverse_gaussian",
        "sums over midpoints; a list that is returned; centered second moment",
        source="""
def best_reverse_gaussian(mu, eps):
    x1 = (np.arange(8000) + 0.5) / 500 - 8

    def conditional(x2):
        p = reverse_posterior(x1, np.asarray(x2)[..., None], mu, eps) / 500
        mean = (x1 * p).sum(-1)
        return [mean, ((x1 - mean[..., None]) ** 2 * p).sum(-1)]

    return [np.mean(mu), eps + np.var(mu), conditional]
""",
    ),
    Right(
        "gap",
        "the definition: a double sum of p log(p/q)",
        source="""
def gap(mu, eps):
    mean2, var2, conditional = best_reverse_gaussian(mu, eps)
    reach = 9 * np.sqrt(eps)
    x2 = np.linspace(min(mu) - reach, max(mu) + reach, 300)[:, None]
    x1 = (np.arange(1200) + 0.5) / 75 - 8
    mean, var = conditional(x2)
    p = norm.pdf(x1) * norm.pdf(x2, np.where(x1 > 0, mu[1], mu[0]), np.sqrt(eps))
    q = norm.pdf(x2, mean2, np.sqrt(var2)) * norm.pdf(x1, mean, np.sqrt(var))
    return rel_entr(p, q).sum() * (x2[1, 0] - x2[0, 0]) / 75
""",
    ),
    Right(
        "gap",
        "Gauss–Hermite over each bump, the closed form of the variance",
        source="""
def gap(mu, eps):
    t, weight = np.polynomial.hermite_e.hermegauss(120)
    weight = weight / weight.sum()
    average = 0.0
    for m in mu:
        w = expit((mu[1] - mu[0]) * (m + np.sqrt(eps) * t - sum(mu) / 2) / eps)
        average += 0.5 * (weight * np.log(1 - 2 / np.pi * (2 * w - 1) ** 2)).sum()
    return float(0.5 * np.log1p((mu[1] - mu[0]) ** 2 / (4 * eps)) + 0.5 * average)
""",
    ),
    Right(
        "gap",
        "Simpson's rule, and as a tensor",
        source="""
from scipy.integrate import simpson

def gap(mu, eps):
    _, var2, conditional = best_reverse_gaussian(mu, eps)
    reach = 9 * np.sqrt(eps)
    x2 = np.linspace(min(mu) - reach, max(mu) + reach, 501)
    average = simpson(marginal_x2(x2, mu, eps) * np.log(conditional(x2)[1]), x=x2)
    return torch.tensor(0.5 * (np.log(var2) - np.log(eps) + average))
""",
    ),
    Right(
        "mixture_reverse",
        "row by row, with grids of its own and NumPy's logarithm",
        source="""
def mixture_reverse(components, mu=(0.0, 1.0), eps=0.04):
    x1 = (np.arange(200) + 0.5) * 0.06 - 6
    x2 = np.linspace(min(mu) - 6 * np.sqrt(eps), max(mu) + 6 * np.sqrt(eps), 50)
    def loss(p, q, grid):
        seen = p > 0
        return (p[seen] * np.log(p[seen] / q[seen])).sum() * (grid[1] - grid[0])
    p2 = marginal_x2(x2, mu, eps)
    total = loss(p2, fit_mixture(p2, x2, components), x2)
    for t, p in zip(x2, p2, strict=True):
        row = reverse_posterior(x1, t, mu, eps)
        total += p * loss(row, fit_mixture(row, x1, components), x1) * (x2[1] - x2[0])
    return total
""",
    ),
    Right(
        "mixture_reverse",
        "one component by the gap; x2 exactly from two on; its own loop for x1, started elsewhere",
        source="""
def mixture_reverse(components, mu=(0.0, 1.0), eps=0.04):
    if components == 1:
        return gap(mu, eps)
    x1, x2 = grids(mu, eps)
    p2 = marginal_x2(x2, mu, eps)
    p1 = reverse_posterior(x1, x2[:, None], mu, eps)
    mean = np.repeat(np.linspace(-1.2, 1.2, components)[None], len(x2), 0)
    var, weight = np.full_like(mean, 0.4), np.full_like(mean, 1 / components)
    for _ in range(400):
        bumps = weight[..., None] * norm.pdf(x1, mean[..., None], np.sqrt(var)[..., None])
        share = bumps / (bumps.sum(1, keepdims=True) + 1e-300) * p1[:, None] / 20
        weight = share.sum(-1) + 1e-12
        mean = share @ x1 / weight
        var = np.maximum(share @ x1**2 / weight - mean**2, 1e-4)
    rows = rel_entr(p1, np.maximum(bumps.sum(1), 1e-300)).sum(1) / 20
    return (p2 * rows).sum() * (x2[1] - x2[0])
""",
    ),
    Right(
        "initial_bias",
        "the logarithm of a quotient of counts, in numpy",
        source="""
def initial_bias(images):
    inked = images.numpy().sum(axis=0)
    return np.log((inked + 0.5) / (len(images) - inked + 0.5))
""",
    ),
    Right(
        "initial_bias",
        "two logarithms of the mean of one image more",
        source="""
def initial_bias(images):
    f = torch.cat([images, torch.full_like(images[:1], 0.5)]).double().mean(dim=0)
    return f.log() - (-f).log1p()
""",
    ),
    Right(
        "reverse_posterior",
        "softmax of logs",
        source="""
from scipy.special import logsumexp
def reverse_posterior(x1, x2, mu, eps):
    x1, x2 = np.broadcast_arrays(np.asarray(x1, float), np.asarray(x2, float))
    near = -((x2 - mu[0]) ** 2) / (2 * eps), -((x2 - mu[1]) ** 2) / (2 * eps)
    side = np.where(x1 > 0, near[1], near[0]) - np.logaddexp(*near)
    return np.exp(np.log(2) + norm.logpdf(x1) + side)
""",
    ),
    Right(
        "initial_bias",
        "scripted",
        source="""
@torch.jit.script
def initial_bias(images: torch.Tensor) -> torch.Tensor:
    inked = images.sum(dim=0)
    return torch.log(inked + 0.5) - torch.log(float(images.size(0)) - inked + 0.5)
""",
    ),
)
