"""Wrong answers to lesson 06, KL."""

from tests.banks.bank import Wrong, written

SURPRISE = "H(p) is the average surprise −log p, weighted by p, in nats"
ZERO_H = "an outcome of probability 0 counts nothing, and certainty has entropy 0"
CROSS = "H(p, q) is the average of −log q, weighted by p, in nats"
ZERO = "an outcome with p = 0 counts nothing, whatever q says of it"
NEVER_CROSS = (
    "H(p, q) is inf where the model calls a real event impossible, and exact where nearly so"
)
KL = "KL(p‖q) is the average of log(p/q), weighted by p, in nats"
GIBBS = "it is 0 for q = p, and positive for every other q without a 0"
NEVER_KL = "KL(p‖q) is inf where the model calls a real event impossible, and exact where nearly so"
CHOICES = "perplexity is exp of the average surprise: V if even over V tokens, 1 if always sure"
LENGTH = "length alone does not perplex; one impossible token does, without end"
BITS = "a nat is 1/ln 2 bits: a fair coin costs 1 bit a toss, certainty none"
POWER = "perplexity is 2 to the bits per token, whatever the length of the text"
NLL = "the first number is the samples' average of −log q"
PARTS = "the others are H(p̂) and KL(p̂‖q) of the samples' frequencies"
IDENTITY = "average NLL = H(p̂) + KL(p̂‖q), to 1e-10, for every q"
IMPOSSIBLE = (
    "one sample that the model calls impossible makes NLL and KL infinite, and leaves H(p̂) as it is"
)
MEAN = "mu is the mean of p"
SPREAD = "sigma is the standard deviation of p: within the bumps and between them"
LEAST = "no Gaussian near it has a smaller KL(p‖q)"
ALONE = "where p is a Gaussian itself, the descent finds it"
BUMPS = "from a start on a bump it settles on that bump: on the left one, and on the right one"
BEGINS = (
    "the descent begins at `start`: without a step it is there, one goes by minus the rate times "
    "the slopes, and many lead onto its bump"
)
LOCAL = "where it ends, no small step makes KL(q‖p) smaller, near bumps included"

H = "return -(seen * np.log(seen)).sum()"
H_PQ = "return -(p[seen] * np.log(q[seen])).sum()"
DIVERGENCE = "return (p[seen] * (np.log(p[seen]) - np.log(q[seen]))).sum()"
PP = "return np.exp(-np.mean(log_probs))"
BPT = "return -np.mean(log_probs) / np.log(2)"
THREE = "return nll, entropy(frequency), kl(frequency, q)"
FREQUENCY = "np.bincount(samples, minlength=len(q)) / len(samples)"
FORWARD = "return mu, np.sqrt((weights * (grid - mu) ** 2).sum())"
WEIGHTED = "np.exp(log_q) * spacing * (log_q - log_p)"
STEP = "mu, s = mu - rate * slope_mu, s - rate * slope_s"

ANSWERS = (
    # entropy
    Wrong("entropy", SURPRISE, "bits-for-nats", edit=("np.log(", "np.log2(")),
    Wrong("entropy", SURPRISE, "sign", edit=("return -(", "return (")),
    Wrong("entropy", ZERO_H, "zero-log-zero", edit=("p[p > 0]", "p")),
    Wrong("entropy", SURPRISE, "mean-for-sum", edit=(").sum()", ").mean()")),
    Wrong("entropy", SURPRISE, "mean-over-outcomes", edit=(H, "return -np.log(seen).mean()")),
    Wrong("entropy", SURPRISE, "mean-over-outcomes", edit=(H, "return -np.log(seen).sum()")),
    Wrong("entropy", SURPRISE, edit=(H, "return np.log(len(seen))")),
    Wrong("entropy", stops="should have shape ()", edit=(H, "return -(seen * np.log(seen))")),
    Wrong("entropy", SURPRISE, "base-10", edit=(H, "return np.sum(seen * np.log10(1 / seen))")),
    Wrong(
        "entropy",
        SURPRISE,
        "normalized",
        edit=(H, "return (seen * -np.log(seen)).sum() / math.log(max(2, p.size))"),
    ),
    # cross_entropy
    Wrong(
        "cross_entropy",
        CROSS,
        "arguments-swapped",
        edit=(
            ("seen = p > 0", "seen = q > 0"),
            (H_PQ, "return -(q[seen] * np.log(p[seen])).sum()"),
        ),
    ),
    Wrong("cross_entropy", CROSS, "bits-for-nats", edit=("np.log(q", "np.log2(q")),
    Wrong(
        "cross_entropy",
        NEVER_CROSS,
        "epsilon-in-log",
        edit=("np.log(q[seen])", "np.log(q[seen] + 1e-12)"),
    ),
    Wrong(
        "cross_entropy",
        NEVER_CROSS,
        "epsilon-in-log",
        edit=("np.log(q[seen])", "np.log(np.clip(q[seen], 1e-9, 1))"),
    ),
    Wrong(
        "cross_entropy",
        NEVER_CROSS,
        "zeros-of-q-left-out",
        edit=("seen = p > 0", "seen = (p > 0) & (q > 0)"),
    ),
    Wrong(
        "cross_entropy",
        NEVER_CROSS,
        "epsilon-in-log",
        edit=("return -", "return -np.nan_to_num"),
    ),
    Wrong("cross_entropy", ZERO, "zero-log-zero", edit=(H_PQ, "return -(p * np.log(q)).sum()")),
    Wrong(
        "cross_entropy", CROSS, "mean-over-outcomes", edit=(H_PQ, "return -np.log(q[seen]).mean()")
    ),
    Wrong("cross_entropy", CROSS, "mean-for-sum", edit=(").sum()", ").mean()")),
    Wrong("cross_entropy", CROSS, "sign", edit=("return -(", "return (")),
    Wrong(
        "cross_entropy",
        CROSS,
        "kl-for-cross-entropy",
        edit=("np.log(q[seen])", "np.log(q[seen] / p[seen])"),
    ),
    Wrong("cross_entropy", CROSS, "only-one-of-them", edit=("np.log(q[seen])", "np.log(p[seen])")),
    Wrong(
        "cross_entropy",
        CROSS,
        "softmax-first",
        source="""
import torch
import torch.nn.functional as F

def cross_entropy(p, q):
    return float(F.cross_entropy(torch.tensor(q)[None], torch.tensor(p)[None]))
""",
    ),
    Wrong(
        "cross_entropy",
        CROSS,
        "binary-formula",
        edit=(
            H_PQ,
            "heads, belief = p[seen], q[seen]\n"
            "        return -(heads * np.log(belief) + (1 - heads) * np.log1p(-belief)).sum()",
        ),
    ),
    # kl
    *written(
        "kl",
        "kl(p, q)",
        (
            KL,
            "arguments-swapped",
            """
seen = q > 0
with np.errstate(divide="ignore"):
    return (q[seen] * np.log(q[seen] / p[seen])).sum()
""",
        ),
        (
            KL,
            "symmetrized",
            """
from scipy.special import rel_entr
return (rel_entr(p, q) + rel_entr(q, p)).sum() / 2
""",
        ),
        (
            KL,
            "epsilon-in-log",
            """
return max(0.0, (p * np.log((p + 1e-10) / (q + 1e-10))).sum())
""",
        ),
        (
            NEVER_KL,
            "zeros-of-q-left-out",
            """
from scipy.special import kl_div
return np.where(q > 0, kl_div(p, q), 0).sum()
""",
        ),
        (
            KL,
            "absolute-terms",
            """
s = p > 0
with np.errstate(divide='ignore'):
    t = p[s] * np.log(p[s] / q[s])
return np.maximum(t, 0).sum()
""",
        ),
        (
            ZERO,
            "q-normalized-again",
            """
s = p > 0
p, q = p[s], q[s] / q[s].sum()
with np.errstate(divide='ignore'):
    return (p * np.log(p / q)).sum()
""",
        ),
        (
            ZERO,
            "never-and-never",
            """
if (q == 0).any():
    return np.inf
seen = p > 0
return (p[seen] * np.log(p[seen] / q[seen])).sum()
""",
        ),
    ),
    Wrong("kl", KL, "bits-for-nats", edit=(DIVERGENCE, DIVERGENCE.replace("np.log(", "np.log2("))),
    Wrong(
        "kl", NEVER_KL, "epsilon-in-log", edit=("- np.log(q[seen])", "- np.log(q[seen] + 1e-10)")
    ),
    Wrong(
        "kl",
        NEVER_KL,
        "epsilon-in-log",
        source="""
def kl(p, q, eps=1e-15):
    return ((p + eps) * np.log((p + eps) / (q + eps))).sum()
""",
    ),
    Wrong("kl", KL, "mean-for-sum", edit=("))).sum()", "))).mean()")),
    Wrong(
        "kl", KL, "mean-over-outcomes", edit=(DIVERGENCE, "return np.log(p[seen] / q[seen]).mean()")
    ),
    Wrong("kl", KL, "weights-of-q", edit=("(p[seen] * (", "(q[seen] * (")),
    Wrong(
        "kl",
        KL,
        "sign",
        edit=("np.log(p[seen]) - np.log(q[seen])", "np.log(q[seen]) - np.log(p[seen])"),
    ),
    Wrong("kl", KL, "absolute-terms", edit=("(p[seen] * (", "np.abs(p[seen] * (")),
    Wrong("kl", KL, "cross-entropy-for-kl", edit=(DIVERGENCE, "return cross_entropy(p, q)")),
    Wrong(
        "kl", GIBBS, "difference-of-entropies", edit=(DIVERGENCE, "return entropy(q) - entropy(p)")
    ),
    Wrong(
        "kl",
        GIBBS,
        "arguments-swapped",
        edit=(DIVERGENCE, "return cross_entropy(q, p) - entropy(p)"),
    ),
    Wrong(
        "kl",
        GIBBS,
        "arguments-swapped",
        edit=(DIVERGENCE, "return cross_entropy(p, q) - entropy(q)"),
    ),
    Wrong("kl", ZERO, "zero-log-zero", edit=(DIVERGENCE, "return (p * np.log(p / q)).sum()")),
    Wrong(
        "kl",
        KL,
        "probabilities-for-logs",
        source="""
import torch
import torch.nn.functional as F

def kl(p, q):
    return float(F.kl_div(torch.tensor(q), torch.tensor(p), reduction="sum"))
""",
    ),
    Wrong(
        "kl",
        KL,
        "mean-for-sum",
        source="""
import torch
import torch.nn.functional as F

def kl(p, q):
    return float(F.kl_div(torch.log(torch.tensor(q)), torch.tensor(p), reduction="mean"))
""",
    ),
    Wrong(
        "kl",
        ZERO,
        "zero-log-zero",
        source="""
import torch
import torch.nn.functional as F

def kl(p, q):
    return float(F.kl_div(torch.log(torch.tensor(q)), torch.tensor(p), reduction="sum"))
""",
    ),
    Wrong("kl", KL, "multiplied-by-ln-2", edit=(DIVERGENCE, DIVERGENCE + " * np.log(2)")),
    Wrong("kl", KL, edit=(DIVERGENCE, "return 0.5108 if q[0] > p[0] else 0.3681")),
    Wrong("kl", KL, edit=(DIVERGENCE, "return float('nan')")),
    Wrong(
        "kl",
        KL,
        "squared-terms",
        edit=(DIVERGENCE, "return (p[seen] * np.log(q[seen] / p[seen]) ** 2).sum()"),
    ),
    # perplexity
    Wrong("perplexity", CHOICES, "exp-of-sum", edit=("np.mean(", "np.sum(")),
    Wrong("perplexity", LENGTH, "exp-of-sum", edit=("np.mean(", "0.1 * np.sum(")),
    Wrong("perplexity", CHOICES, "sign", edit=("-np.mean", "np.mean")),
    Wrong("perplexity", CHOICES, "base-mixed", edit=(PP, "return 2 ** -np.mean(log_probs)")),
    Wrong(
        "perplexity", CHOICES, "arithmetic-mean", edit=(PP, "return np.mean(np.exp(-log_probs))")
    ),
    Wrong(
        "perplexity",
        CHOICES,
        "exp-forgotten",
        edit=("np.exp(-np.mean(log_probs))", "-np.mean(log_probs)"),
    ),
    Wrong(
        "perplexity",
        LENGTH,
        "impossible-token-hidden",
        edit=("np.mean(log_probs)", "np.mean(np.maximum(log_probs, -50))"),
    ),
    Wrong(
        "perplexity",
        CHOICES,
        "log-of-logs",
        edit=(PP, "return np.exp(-np.mean(np.log(-log_probs)))"),
    ),
    # bits_per_token
    Wrong("bits_per_token", BITS, "nats-for-bits", edit=(" / np.log(2)", "")),
    Wrong("bits_per_token", BITS, "multiplied-by-ln-2", edit=("/ np.log(2)", "* np.log(2)")),
    Wrong("bits_per_token", POWER, "summed-over-tokens", edit=("np.mean(", "np.sum(")),
    Wrong("bits_per_token", BITS, "sign", edit=("-np.mean", "np.mean")),
    Wrong("bits_per_token", BITS, "log-of-logs", edit=(BPT, "return -np.mean(np.log2(log_probs))")),
    Wrong(
        "bits_per_token",
        BITS,
        "perplexity-for-bits",
        edit=(BPT, "return np.exp(-np.mean(log_probs))"),
    ),
    Wrong(
        "bits_per_token",
        BITS,
        "log-of-mean",
        edit=(BPT, "return -np.log2(np.exp(log_probs).mean())"),
    ),
    # mle_equals_kl
    Wrong(
        "mle_equals_kl",
        NLL,
        "summed-over-samples",
        edit=("-np.log(q[samples]).mean()", "-np.log(q[samples]).sum()"),
    ),
    Wrong("mle_equals_kl", NLL, "sign", edit=("-np.log(q[samples])", "np.log(q[samples])")),
    Wrong("mle_equals_kl", NLL, "mean-over-outcomes", edit=("np.log(q[samples])", "np.log(q)")),
    Wrong(
        "mle_equals_kl",
        NLL,
        "log-of-mean",
        edit=("-np.log(q[samples]).mean()", "-np.log(q[samples].mean())"),
    ),
    Wrong(
        "mle_equals_kl", PARTS, "arguments-swapped", edit=("kl(frequency, q)", "kl(q, frequency)")
    ),
    Wrong("mle_equals_kl", PARTS, "counts-for-frequencies", edit=(" / len(samples)", "")),
    Wrong(
        "mle_equals_kl",
        IDENTITY,
        "smoothed",
        edit=(FREQUENCY, "(np.bincount(samples, minlength=len(q)) + 1) / (len(samples) + len(q))"),
    ),
    Wrong("mle_equals_kl", PARTS, "entropy-of-q", edit=("entropy(frequency)", "entropy(q)")),
    Wrong(
        "mle_equals_kl",
        IDENTITY,
        "compared-with-itself",
        edit=("kl(frequency, q)", "kl(frequency, frequency)"),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "unseen-outcomes",
        edit=(
            THREE,
            "f = frequency\n    return nll, -(f * np.log(f)).sum(), (f * np.log(f / q)).sum()",
        ),
    ),
    Wrong("mle_equals_kl", stops="should return three numbers", edit=(THREE, "return nll")),
    Wrong("mle_equals_kl", stops="IndexError", edit=(", minlength=len(q)", "")),
    Wrong("mle_equals_kl", NLL, "bits-for-nats", edit=("-np.log(q[s", "-np.log2(q[s")),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "cross-entropy-for-kl",
        edit=("kl(frequency, q)", "cross_entropy(frequency, q)"),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "counts-forgotten",
        edit=(FREQUENCY, "np.isin(np.arange(len(q)), samples) / len(set(samples.tolist()))"),
    ),
    # fit_forward
    Wrong(
        "fit_forward",
        SPREAD,
        "variance-for-sigma",
        edit=("np.sqrt((weights * (grid - mu) ** 2).sum())", "(weights * (grid - mu) ** 2).sum()"),
    ),
    Wrong("fit_forward", SPREAD, "moment-about-zero", edit=("(grid - mu) ** 2", "grid**2")),
    Wrong(
        "fit_forward", MEAN, "mean-over-outcomes", edit=("(weights * grid).sum()", "grid.mean()")
    ),
    Wrong("fit_forward", MEAN, "spacing-forgotten", edit=("p / p.sum()", "p")),
    Wrong(
        "fit_forward",
        MEAN,
        "mean-for-sum",
        edit=(("p / p.sum()", "p"), ("(weights * grid).sum()", "(weights * grid).mean()")),
    ),
    Wrong(
        "fit_forward", MEAN, "moments-of-the-heights", edit=((FORWARD, "return p.mean(), p.std()"),)
    ),
    Wrong(
        "fit_forward",
        MEAN,
        "forward-called-mode-seeking",
        edit=("mu = (weights * grid).sum()", "mu = grid[p.argmax()]"),
    ),
    *written(
        "fit_forward",
        "fit_forward(p, grid)",
        (
            LEAST,
            "forward-called-mode-seeking",
            """
mode = p.argmax()
mu = grid[mode]
near = np.abs(grid - mu) < 1.0
weights = p[near] / p[near].sum()
return mu, np.sqrt((weights * (grid[near] - mu) ** 2).sum())
""",
        ),
        (
            SPREAD,
            "mean-distance",
            """
w = p / p.sum()
mu = np.dot(w, grid)
return mu, np.dot(w, np.abs(grid - mu)) * np.sqrt(np.pi / 2)
""",
        ),
        (
            MEAN,
            "median-for-mean",
            """
c = np.cumsum(p) / p.sum()
mu = np.interp(0.5, c, grid)
lo, hi = np.interp([0.1587, 0.8413], c, grid)
return mu, (hi - lo) / 2
""",
        ),
        (
            SPREAD,
            "corrected-for-a-sample",
            """
w = p / p.sum()
mu = (w * grid).sum()
n = len(grid)
return mu, np.sqrt((w * (grid - mu) ** 2).sum() * n / (n - 1))
""",
        ),
        (
            SPREAD,
            "spacing-twice",
            """
d = grid[1] - grid[0]
mu = (p * grid).sum() * d
var = (p * (grid - mu) ** 2).sum() * d * d
return mu, np.sqrt(var)
""",
        ),
        (
            MEAN,
            "weights-squared",
            """
w = p**2 / (p**2).sum()
m = (w * grid).sum()
return m, np.sqrt((w * (grid - m)**2).sum())
""",
        ),
    ),
    Wrong(
        "fit_forward",
        SPREAD,
        "log-sigma-returned",
        edit=(
            "np.sqrt((weights * (grid - mu) ** 2).sum())",
            "0.5 * np.log((weights * (grid - mu) ** 2).sum())",
        ),
    ),
    Wrong("fit_forward", SPREAD, "mean-over-outcomes", edit=(FORWARD, "return mu, grid.std()")),
    Wrong("fit_forward", MEAN, edit=(FORWARD, "return float('nan'), float('nan')")),
    Wrong("fit_forward", SPREAD, edit=(FORWARD, "return mu, 1e30")),
    Wrong(
        "fit_forward",
        MEAN,
        "mu-and-sigma-swapped",
        edit=(FORWARD, "return np.sqrt((weights * (grid - mu) ** 2).sum()), mu"),
    ),
    # fit_reverse
    Wrong(
        "fit_reverse",
        BUMPS,
        "forward-for-reverse",
        source="""
def fit_reverse(p, grid, start):
    weights = p / p.sum()
    mu = (weights * grid).sum()
    return mu, np.sqrt((weights * (grid - mu) ** 2).sum())
""",
    ),
    Wrong(
        "fit_reverse",
        ALONE,
        "uphill",
        edit=(STEP, "mu, s = mu + rate * slope_mu, s + rate * slope_s"),
    ),
    *written(
        "fit_reverse",
        "fit_reverse(p, grid, start, rate=0.02, steps=2000)",
        (
            ALONE,
            "uphill",
            """
mu, s = start[0], np.log(start[1])
weights = p / p.sum()  # data for samples of q: this descends minus the forward KL
for _ in range(steps):
    z = (grid - mu) / np.exp(s)
    mu, s = mu - rate * (weights * z).sum() / np.exp(s), s - rate * (weights * (z**2 - 1)).sum()
return mu, np.exp(s)
""",
        ),
        (
            BEGINS,
            "steps-ignored",
            """
from scipy.optimize import minimize

spacing, log_p = grid[1] - grid[0], np.log(p)

def loss(v):
    log_q = -0.5 * ((grid - v[0]) / np.exp(v[1])) ** 2 - v[1] - 0.5 * np.log(2 * np.pi)
    return (np.exp(log_q) * (log_q - log_p)).sum() * spacing

found = minimize(loss, [start[0], np.log(start[1])], method="Nelder-Mead", tol=1e-9)
return found.x[0], np.exp(found.x[1])
""",
        ),
        (
            BEGINS,
            "adaptive-steps",
            """
place, spacing, log_p = np.array([start[0], np.log(start[1])]), grid[1] - grid[0], np.log(p)
m, v = np.zeros(2), np.zeros(2)
for i in range(1, steps + 1):
    sigma = np.exp(place[1])
    z = (grid - place[0]) / sigma
    log_q = -(z**2) / 2 - place[1] - 0.5 * np.log(2 * np.pi)
    weighted = np.exp(log_q) * spacing * (log_q - log_p)
    slopes = np.array([(weighted * z).sum() / sigma, (weighted * (z**2 - 1)).sum()])
    m, v = 0.9 * m + 0.1 * slopes, 0.999 * v + 0.001 * slopes**2
    place = place - rate * m / (1 - 0.9**i) / (np.sqrt(v / (1 - 0.999**i)) + 1e-8)
return place[0], np.exp(place[1])
""",
        ),
    ),
    Wrong("fit_reverse", ALONE, "entropy-of-q-forgotten", edit=("(log_q - log_p)", "-log_p")),
    Wrong("fit_reverse", ALONE, "sigma-fixed", edit=("s - rate * slope_s", "s")),
    Wrong("fit_reverse", ALONE, "mu-fixed", edit=("mu - rate * slope_mu", "mu")),
    Wrong(
        "fit_reverse", ALONE, "log-sigma-returned", edit=("return mu, np.exp(s)", "return mu, s")
    ),
    Wrong(
        "fit_reverse",
        ALONE,
        "variance-for-sigma",
        edit=("return mu, np.exp(s)", "return mu, np.exp(2 * s)"),
    ),
    Wrong("fit_reverse", ALONE, "not-moved", edit=(STEP, "pass")),
    Wrong("fit_reverse", ALONE, "stopped-early", edit=("steps=2000", "steps=20")),
    Wrong(
        "fit_reverse",
        BUMPS,
        "start-ignored",
        edit=("start[0], np.log(start[1])", "-2.0, np.log(0.6)"),
    ),
    Wrong(
        "fit_reverse",
        BUMPS,
        "start-ignored",
        edit=("start[0], np.log(start[1])", "grid[p.argmax()], np.log(0.5)"),
    ),
    Wrong("fit_reverse", LOCAL, edit=("return mu, np.exp(s)", "return mu, 1.1 * np.exp(s)")),
    Wrong("fit_reverse", ALONE, edit=("return mu, np.exp(s)", "return float('inf'), float('nan')")),
    Wrong(
        "fit_reverse",
        ALONE,
        "spacing-forgotten",
        edit=(WEIGHTED, "np.exp(log_q) * (log_q - log_p)  # times dx?"),
    ),
    Wrong(
        "fit_reverse",
        BUMPS,
        "log-of-density",
        edit=("(log_q - log_p)", "(np.log(np.exp(log_q)) - log_p)"),
    ),
    Wrong("fit_reverse", BUMPS, "weights-of-p", edit=(WEIGHTED, "p * spacing * (log_q - log_p)")),
    Wrong(
        "fit_reverse",
        BUMPS,
        source="""
def fit_reverse(p, grid, start, reach=2.5):
    near = np.abs(grid - start[0]) < reach * start[1]
    weights = np.where(near, p, 0.0)
    for _ in range(30):  # moments of the bump that the window holds
        weights = weights / weights.sum()
        mu = (weights * grid).sum()
        sigma = np.sqrt((weights * (grid - mu) ** 2).sum())
        weights = np.where(np.abs(grid - mu) < 4 * sigma, p, 0.0)
    return mu, sigma
""",
    ),
    Wrong(
        "fit_reverse",
        BUMPS,
        source="""
def fit_reverse(p, grid, start):
    at, log_p = int(np.abs(grid - start[0]).argmin()), np.log(p)
    while p[at + 1] > p[at] or p[at - 1] > p[at]:  # the mode, and the curvature there
        at += 1 if p[at + 1] > p[at] else -1
    bend = (log_p[at + 1] - 2 * log_p[at] + log_p[at - 1]) / (grid[1] - grid[0]) ** 2
    return grid[at], 1 / np.sqrt(-bend)
""",
    ),
    Wrong("fit_reverse", BEGINS, "start-sigma-for-its-log", edit=("np.log(start[1])", "start[1]")),
    Wrong("fit_reverse", BEGINS, edit=("np.log(start[1])", "np.log1p(start[1])")),
    Wrong("fit_reverse", BEGINS, "one-step-less", edit=("range(steps)", "range(1, steps)")),
    Wrong("fit_reverse", BEGINS, "one-step-too-many", edit=("range(steps)", "range(steps + 1)")),
    Wrong(
        "fit_reverse", stops="a pair of numbers", edit=("return mu, np.exp(s)", "return np.exp(s)")
    ),
    Wrong(
        "bits_per_token",
        BITS,
        "summed-over-tokens",
        edit=("-np.mean(log_probs) / np.log(2)", "-np.sum(log_probs) / (2 * np.log(2))"),
    ),
    Wrong(
        "entropy",
        SURPRISE,
        "perplexity-for-entropy",
        edit=("return -(seen * np.log(seen)).sum()", "return np.exp(-(seen * np.log(seen)).sum())"),
    ),
    Wrong(
        "perplexity",
        LENGTH,
        "product-underflows",
        edit=("np.exp(-np.mean(log_probs))", "np.prod(np.exp(log_probs)) ** (-1 / len(log_probs))"),
    ),
    Wrong(
        "fit_reverse",
        ALONE,
        "mu-uphill",
        edit=("mu - rate * slope_mu", "mu + rate * slope_mu"),
    ),
    Wrong(
        "fit_reverse",
        ALONE,
        "sigma-uphill",
        edit=("s - rate * slope_s", "s + rate * slope_s"),
    ),
    Wrong(
        "fit_reverse",
        ALONE,
        "weights-forgotten",
        edit=("np.exp(log_q) * spacing *", "spacing *"),
    ),
    Wrong(
        "fit_reverse",
        BUMPS,
        "forward-for-reverse",
        edit=("np.exp(log_q) * spacing * (log_q - log_p)", "-p / p.sum()"),
    ),
    Wrong(
        "fit_reverse",
        BUMPS,
        "start-ignored",
        edit=("mu, s = start[0], np.log(start[1])", "mu, s = grid[p.argmax()], np.log(start[1])"),
    ),
    Wrong(
        "mle_equals_kl",
        NLL,
        "log-forgotten",
        edit=("-np.log(q[samples]).mean()", "-q[samples].mean()"),
    ),
    Wrong(  # which claim fails depends on how fine the grid is
        "fit_reverse",
        misconception="mean-for-sum",
        edit=(
            ("(weighted * z).sum()", "(weighted * z / spacing).mean()"),
            ("(weighted * (z**2 - 1)).sum()", "(weighted * (z**2 - 1) / spacing).mean()"),
        ),
    ),
    Wrong(
        "entropy",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=(
            "    seen = p[p > 0]\n    return -(seen * np.log(seen)).sum()",
            "    p[p == 0] = 1\n    return -(p * np.log(p)).sum()",
        ),
    ),
    Wrong(
        "fit_forward",
        SPREAD,
        edit=(
            "((weights * (grid - mu) ** 2).sum())",
            "((weights * (grid - mu) ** 2).sum() * len(p) / (len(p) - 1))",
        ),
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "rate-ignored",
        edit=(
            "    mu, s = start[0], np.log(start[1])",
            "    rate, mu, s = 0.02, start[0], np.log(start[1])",
        ),
    ),
    Wrong(
        "entropy",
        SURPRISE,
        "equal-ones-once",
        edit=("seen = p[p > 0]", "seen = np.unique(p[p > 0])"),
    ),
    Wrong(
        "entropy",
        SURPRISE,
        "probabilities-counted",
        edit=("seen = p[p > 0]", "seen = np.unique(p, return_counts=True)[1] / len(p)"),
    ),
    *written(
        "entropy",
        "entropy(p)",
        (
            SURPRISE,
            "binary-formula",
            """
p = p[p > 0]
return -(p * np.log(p) + (1 - p) * np.log(1 - p + 1e-30)).sum()
""",
        ),
        (
            "an outcome of probability 0 counts nothing, and certainty has entropy 0",
            "zero-log-zero",
            """
return np.nan_to_num(-(p * np.log(p)).sum())
""",
        ),
        (
            SURPRISE,
            "another-measure",
            """
return -np.log(np.max(p))
""",
        ),
        (
            SURPRISE,
            "another-measure",
            """
return -np.log(np.sum(p ** 2))
""",
        ),
        (
            SURPRISE,
            "another-measure",
            """
p = np.asarray(p)
return 1 - np.sum(p * p)
""",
        ),
        (
            SURPRISE,
            "binary-formula",
            """
h = p[0]
if h == 0 or h == 1:
    return 0.0
return -h * np.log(h) - (1 - h) * np.log(1 - h)
""",
        ),
    ),
    Wrong(
        "cross_entropy",
        CROSS,
        source="""
def cross_entropy(p, q):  # of the likeliest outcome only
    return -np.log(q[np.argmax(p)])
""",
    ),
    Wrong(
        "kl",
        NEVER_KL,
        "zeros-of-q-left-out",
        edit=("seen = p > 0", "seen = (p > 0) & (q > 0)"),
    ),
    *written(
        "perplexity",
        "perplexity(log_probs)",
        (
            CHOICES,
            "weighted-by-q",
            """
p = np.exp(log_probs)
return np.exp(-(p * np.nan_to_num(log_probs)).sum())
""",
        ),
        (
            CHOICES,
            "count-off-by-one",
            """
return np.exp(-np.sum(log_probs[1:]) / (len(log_probs) - 1))
""",
        ),
        (
            CHOICES,
            "count-off-by-one",
            """
n = len(log_probs)
return np.exp(-np.sum(log_probs) / max(n - 1, 1))
""",
        ),
        (
            CHOICES,
            "median-for-mean",
            """
return np.exp(-np.median(log_probs))
""",
        ),
        (
            CHOICES,
            "sign",
            """
return -np.exp(np.mean(log_probs))
""",
        ),
        (
            CHOICES,
            "normalized-over-the-text",
            """
from scipy.special import log_softmax
return np.exp(-np.mean(log_softmax(log_probs)))
""",
        ),
    ),
    Wrong(
        "perplexity",
        CHOICES,
        "log-of-logs",
        edit=("np.mean(log_probs)", "np.mean(np.log(log_probs))"),
    ),
    Wrong(
        "bits_per_token",
        BITS,
        "log-of-logs",
        edit=("-np.mean(log_probs) / np.log(2)", "-np.mean(np.log2(-log_probs))"),
    ),
    Wrong(
        "mle_equals_kl",
        stops="an outcome never came",
        edit=(
            "np.bincount(samples, minlength=len(q)) / len(samples)",
            "np.unique(samples, return_counts=True)[1] / len(samples)",
        ),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "bins-of-a-histogram",
        edit=("np.bincount(samples, minlength=len(q))", "np.histogram(samples, bins=len(q))[0]"),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "counts-for-frequencies",
        edit=("/ len(samples)", "/ len(q)"),
    ),
    Wrong(
        "mle_equals_kl",
        NLL,
        "epsilon-in-log",
        edit=("-np.log(q[samples])", "-np.log(q[samples] + 1e-9)"),
    ),
    Wrong(
        "fit_forward",
        SPREAD,
        "weights-squared",
        edit=("(weights * (grid - mu) ** 2)", "((weights * (grid - mu)) ** 2)"),
    ),
    Wrong(
        "fit_forward",
        SPREAD,
        "mean-distance",
        edit=(FORWARD, "return mu, (weights * np.abs(grid - mu)).sum()"),
    ),
    Wrong("fit_reverse", BEGINS, "sigma-missing-in-slope", edit=(".sum() / sigma,", ".sum(),")),
    Wrong(
        "fit_reverse",
        BEGINS,
        "density-not-normalized",
        edit=("-(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)", "-(z**2) / 2 - s"),
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "density-not-normalized",
        edit=("-(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)", "-(z**2) / 2"),
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "one-after-the-other",
        edit=(
            (
                "slope_mu, slope_s = (weighted * z).sum() / sigma, (weighted * (z**2 - 1)).sum()",
                "mu = mu - rate * (weighted * z).sum() / sigma",
            ),
            (STEP, "s = s - rate * (weighted * (((grid - mu) / sigma) ** 2 - 1)).sum()"),
        ),
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "walk-in-sigma",
        edit=(STEP, "mu, s = mu - rate * slope_mu, np.log(sigma - rate * slope_s / sigma)"),
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "walk-in-sigma",
        edit=(STEP, "mu, s = mu - rate * slope_mu, np.log(sigma - rate * slope_s)"),
    ),
    Wrong(
        "cross_entropy",
        NEVER_CROSS,
        "epsilon-in-log",
        source="""
def cross_entropy(target, output):
    output = output / output.sum()
    output = np.clip(output, 1e-7, 1 - 1e-7)
    return -np.sum(target * np.log(output))
""",
    ),
    *written(
        "cross_entropy",
        "cross_entropy(p, q)",
        (
            CROSS,
            "likeliest-only",
            """
label = int(np.argmax(p))
with np.errstate(divide='ignore'):
    return -np.log(q[label])
""",
        ),
        (
            CROSS,
            "log-of-mean",
            """
with np.errstate(divide='ignore'):
    return -np.log(np.dot(p, q))
""",
        ),
        (
            ZERO,
            "never-and-never",
            """
if (q == 0).any():
    return np.inf
return -(p * np.log(q)).sum()
""",
        ),
    ),
    Wrong(
        "kl",
        KL,
        "binary-formula",
        source="""
def kl(pk, qk):
    qk = np.clip(qk, 1e-6, 1 - 1e-6)
    pk = np.clip(pk, 1e-6, 1 - 1e-6)
    S = pk * np.log(pk / qk) + (1 - pk) * np.log((1 - pk) / (1 - qk))
    return S.sum()
""",
    ),
    *written(
        "bits_per_token",
        "bits_per_token(log_probs)",
        (
            BITS,
            "another-base",
            """
return -np.mean(log_probs) / np.log10(2)
""",
        ),
        (
            BITS,
            "whole-bits",
            """
return np.mean(np.ceil(-log_probs / np.log(2)))
""",
        ),
        (
            BITS,
            "rounded-constant",
            """
return -np.mean(log_probs) * 1.44
""",
        ),
        (
            BITS,
            "bytes-for-bits",
            """
return -np.mean(log_probs) / np.log(256)
""",
        ),
        (
            BITS,
            "epsilon-in-log",
            """
return -np.mean(np.log2(np.exp(log_probs) + 1e-9))
""",
        ),
        (
            BITS,
            "rounded-constant",
            """
return -np.mean(log_probs) / 0.69
""",
        ),
        (
            BITS,
            "median-for-mean",
            """
return -np.median(log_probs) / np.log(2)
""",
        ),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "unseen-outcomes",
        source="""
def mle_equals_kl(samples, q):
    _, counts = np.unique(samples, return_counts=True)
    freq = counts / counts.sum()
    nll = -np.mean(np.log(q[samples]))
    return nll, entropy(freq), kl(freq, q[:len(freq)])
""",
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "parts-swapped",
        source="""
def mle_equals_kl(samples, q):
    hat = np.bincount(samples, minlength=len(q)) / len(samples)
    with np.errstate(divide='ignore'):
        nll = -np.log(q[samples]).mean()
    return nll, kl(hat, q), entropy(hat)
""",
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "memory-of-steps",
        edit=(
            (
                "spacing, log_p = grid[1] - grid[0], np.log(p)",
                "spacing, log_p = grid[1] - grid[0], np.log(p)\n    v_mu = v_s = 0.0",
            ),
            (
                STEP,
                "v_mu, v_s = 0.9 * v_mu + slope_mu, 0.9 * v_s + slope_s\n"
                "        mu, s = mu - rate * v_mu, s - rate * v_s",
            ),
        ),
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "rate-that-falls",
        edit=(
            (
                "for _ in range(steps):",
                "for i in range(steps):\n        now = rate * (1 + np.cos(np.pi * i / steps)) / 2",
            ),
            (STEP, "mu, s = mu - now * slope_mu, s - now * slope_s"),
        ),
    ),
    Wrong(
        "fit_reverse", BUMPS, "one-forgotten", edit=("(weighted * (z**2 - 1))", "(weighted * z**2)")
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "variance-for-sigma",
        edit=("np.log(start[1])", "0.5 * np.log(start[1])"),
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "slopes-clipped",
        edit=(
            STEP,
            "most = max(np.hypot(slope_mu, slope_s), 1.0)\n"
            "        mu, s = mu - rate * slope_mu / most, s - rate * slope_s / most",
        ),
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "slopes-clipped",
        edit=(
            STEP,
            "mu, s = mu - rate * np.clip(slope_mu, -1, 1), s - rate * np.clip(slope_s, -1, 1)",
        ),
    ),
    Wrong(
        "fit_reverse",
        BEGINS,
        "epsilon-in-log",
        edit=(
            "(log_q - log_p)",
            "(np.log(np.exp(log_q) + 1e-12) - np.log(p + 1e-12))",
        ),
    ),
    Wrong("fit_reverse", BEGINS, "steps-ignored", edit=("range(steps)", "range(2000)")),
    Wrong(
        "mle_equals_kl",
        IMPOSSIBLE,
        "epsilon-in-log",
        edit=(
            (
                "nll = -np.log(q[samples]).mean()",
                "nll = -np.log(q[samples] + 1e-12).mean()",
            ),
            (THREE, "return nll, entropy(frequency), nll - entropy(frequency)"),
        ),
    ),
    Wrong(
        "bits_per_token", BITS, "rounded-constant", edit=(BPT, "return -np.mean(log_probs) / 0.693")
    ),
    # what other people write
    *(
        Wrong("entropy", SURPRISE, "epsilon-everywhere", edit=(("seen = p[p > 0]", line),))
        for line in (
            "seen = p + 1e-2",
            "seen = (p + 1e-3) / (p + 1e-3).sum()",
        )
    ),
    Wrong("cross_entropy", CROSS, "entropy-of-q", edit=(H_PQ, "return kl(p, q) + entropy(q)")),
    Wrong(
        "kl",
        ZERO,
        "mass-of-q-lost",
        edit=(DIVERGENCE, "return (p * np.log(p / q) - p + q)[seen].sum()"),
    ),
    Wrong(
        "bits_per_token",
        BITS,
        "weighted-by-q",
        edit=(BPT, "return -np.sum(np.exp(log_probs) * log_probs) / np.log(2)"),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "cross-entropy-for-entropy",
        edit=(THREE, "return nll, cross_entropy(frequency, q), kl(frequency, q)"),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "sum-for-difference",
        edit=(
            THREE,
            "return nll, entropy(frequency), cross_entropy(frequency, q) + entropy(frequency)",
        ),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "bits-for-nats",
        edit=(THREE, "return nll, entropy(frequency) / np.log(2), kl(frequency, q)"),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "bits-for-nats",
        edit=(THREE, "return nll, entropy(frequency), kl(frequency, q) / np.log(2)"),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "bits-for-nats",
        edit=(
            THREE,
            "return nll, *(v / np.log(2) for v in (entropy(frequency), kl(frequency, q)))",
        ),
    ),
    Wrong(
        "mle_equals_kl",
        NLL,
        "bits-for-nats",
        edit=(THREE, "return np.array([nll, entropy(frequency), kl(frequency, q)]) / np.log(2)"),
    ),
    Wrong("fit_forward", SPREAD, "moments-of-the-heights", edit=(FORWARD, "return mu, p.std()")),
    Wrong(
        "fit_forward",
        MEAN,
        "weights-of-a-softmax",
        edit=("weights = p / p.sum()", "weights = np.exp(p) / np.exp(p).sum()"),
    ),
    Wrong(
        "fit_forward",
        SPREAD,
        "width-at-half-height",
        edit=(FORWARD, "return mu, np.ptp(grid[p >= p.max() / 2]) / 2.3548"),
    ),
    Wrong(
        "fit_forward",
        MEAN,
        "median-for-mean",
        edit=(
            "mu = (weights * grid).sum()",
            "mu = grid[np.searchsorted(np.cumsum(weights), 0.5)]",
        ),
    ),
    Wrong("fit_reverse", BEGINS, "default-changed", edit=("rate=0.02", "rate=0.1")),
    *written(
        "entropy",
        "entropy(p)",
        (
            ZERO_H,
            "ends-at-the-first-zero",
            """
h = 0.0
for value in p:
    if value == 0:
        break
    h -= value * math.log(value)
return h
""",
        ),
    ),
    *written(
        "cross_entropy",
        "cross_entropy(p, q)",
        (
            ZERO,
            "ends-at-the-first-zero",
            """
total = 0.0
for a, b in zip(p, q):
    if a == 0:
        break
    total += math.inf if b == 0 else -a * math.log(b)
return total
""",
        ),
    ),
    *written(
        "kl",
        "kl(p, q)",
        (
            ZERO,
            "ends-at-the-first-zero",
            """
total = 0.0
for a, b in zip(p, q):
    if not a:
        return total
    total += math.inf if b == 0 else a * math.log(a / b)
return total
""",
        ),
    ),
    *written(
        "perplexity",
        "perplexity(log_probs)",
        (CHOICES, "count-off-by-one", "return np.exp(-log_probs[1:].sum() / len(log_probs))"),
        (CHOICES, "count-off-by-one", "return np.exp(-np.mean(log_probs[:-1]))"),
        (CHOICES, "count-off-by-one", "return np.exp(-log_probs[:-1].sum() / len(log_probs))"),
        (
            CHOICES,
            "weighted-by-q",
            """
p = np.exp(log_probs)
return np.exp(-np.average(np.nan_to_num(log_probs), weights=p))
""",
        ),
    ),
    *written(
        "bits_per_token",
        "bits_per_token(log_probs)",
        (BITS, "count-off-by-one", "return -np.sum(log_probs[1:]) / len(log_probs) / np.log(2)"),
    ),
    Wrong(
        "fit_forward",
        SPREAD,
        "mean-over-outcomes",
        edit=(FORWARD, "return mu, np.sqrt(np.mean((grid - mu) ** 2))"),
    ),
    *(
        Wrong("cross_entropy", CROSS, name, edit=(H_PQ, f"return {to}"))
        for name, to in (
            ("product-in-the-logarithm", "-(p[seen] * np.log(p[seen] * q[seen])).sum()"),
            ("squared-error", "((p - q) ** 2).sum()"),
            ("squared-error", "((p - q) ** 2).mean()"),
        )
    ),
    Wrong(
        "cross_entropy",
        ZERO,
        "q-normalized-again",
        edit=("q[seen])).sum()", "q[seen] / q[seen].sum())).sum()"),
    ),
    *(
        Wrong("kl", KL, name, edit=(DIVERGENCE, f"return {to}"))
        for name, to in (
            ("another-divergence", "((p - q) ** 2 / q).sum()"),
            ("another-divergence", "0.5 * np.abs(p - q).sum()"),
            (
                "another-divergence",
                "np.sqrt(sum((a * np.log(2 * a / (p + q)))[seen].sum() for a in (p, q)) / 2)",
            ),
            ("squared-error", "((p - q) ** 2).sum()"),
            ("squared-error", "((p - q) ** 2).mean()"),
            ("log-forgotten", "(p[seen] * (p[seen] / q[seen])).sum()"),
        )
    ),
    Wrong("bits_per_token", BITS, "whole-bits", edit=("/ np.log(2)", "// np.log(2)")),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "counts-for-frequencies",
        edit=("/ len(samples)", "/ (len(samples) - 1)"),
    ),
    Wrong(
        "mle_equals_kl",
        IMPOSSIBLE,
        "difference-of-infinities",
        edit=(THREE, "return nll, nll - kl(frequency, q), kl(frequency, q)"),
    ),
    Wrong(
        "mle_equals_kl",
        PARTS,
        "parts-swapped",
        edit=(THREE, "return kl(frequency, q), entropy(frequency), nll"),
    ),
    Wrong(
        "fit_forward",
        MEAN,
        "roots-for-weights",
        edit=("weights = p / p.sum()", "weights = np.sqrt(p) / np.sqrt(p).sum()"),
    ),
    Wrong(
        "fit_forward",
        SPREAD,
        "mean-not-squared",
        edit=("(weights * (grid - mu) ** 2).sum()", "np.abs((weights * grid**2).sum() - mu)"),
    ),
)
