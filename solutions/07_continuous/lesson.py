# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
#   lesson:
#     name: 07_continuous
#     title: "How much is a gray level?"
#     question: "Two models of the same pixels report 5.8 nats and 0.3 nats. Which one is better, and what must you ask first?"
#     minutes: 110
#     prerequisites: [02_chain_rule, 05_made, 06_kl]
# ---

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_sample_image
from torch import nn

from autograder import check
from course.demo import solved
from course.picture import show
from course.progress import tqdm
from course.training import fit
from figures.mixture_explorer import MixtureExplorer
from figures.predict import predict

# %% [markdown]
r"""
## Two reports

Two people fit a Gaussian each to the gray levels of one photograph, 0 (black) to 255 (white), and report the average negative log-likelihood on the same validation pixels.

| | average NLL |
|---|---|
| Ada | 5.83 nats per pixel |
| Ben | 0.28 nats per pixel |
"""

# %% tags=["demo"]
predict(
    "Whose model is better?",
    ["Ada's", "Ben's", "neither: it is the same model"],
    answer=2,
    why="Ben has divided the levels by 256 before he fitted. Exercise 2 shows what that does to a density.",
)

# %% [markdown]
r"""
The photograph is one that scikit-learn ships (a temple in China, by danielbuechele on Flickr, CC BY 2.0; its green channel), cut into ten upright strips. The cell
draws pixels at random: 2,000 for training, 4,000 for validation and 8,000 for the test, from different strips. Each comes with four neighbors that a scan by rows has seen before it.
"""

# %% tags=["demo"]
photo = torch.tensor(load_sample_image("china.jpg")[..., 1]).long()


def pixels(strips, count, seed):
    """Pixels (count,) at random from the strips, and their left, upper, upper left and right neighbors (count, 4)."""
    rows = []
    for strip in strips:
        part = photo[:, 64 * strip : 64 * (strip + 1)]
        seen = (part[1:, :-2], part[:-1, 1:-1], part[:-1, :-2], part[:-1, 2:], part[1:, 1:-1])
        rows.append(torch.stack(seen, -1).reshape(-1, 5))
    rows = torch.cat(rows)
    rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:count]]
    return rows[:, 4], rows[:, :4]


train, train_seen = pixels((0, 2, 4, 5, 7, 9), 2_000, seed=0)
valid, valid_seen = pixels((1, 6), 4_000, seed=1)
test, test_seen = pixels((3, 8), 8_000, seed=2)
counts = torch.bincount(train, minlength=256)
fig, axes = plt.subplots(1, 2, figsize=(9, 2.9), constrained_layout=True)
axes[0].imshow(photo, cmap="gray")
axes[0].axis("off")
axes[1].bar(range(256), counts, width=1.0, color="#0072B2")
axes[1].set(xlabel="gray level", ylabel="training pixels")
show(
    fig,
    "Left: a Chinese temple under a bright sky. Right: how often each gray level comes among 2,000 pixels: "
    "a broad hill of dark levels and a narrow, high one near 230, the sky.",
)

# %% [markdown]
r"""
Fit something better than one Gaussian by hand. **Drag the two bells**, choose their widths and weights, and look at the same model in three ways: as **bins**, as a **density**, and **discretized**. Two of the three numbers below can be compared with each other: bins and discretized, both probabilities of levels.
"""

# %% tags=["demo"]
MixtureExplorer(counts.tolist())

# %% [markdown]
r"""
## Exercise 1: a table of levels

`histogram_nll` · difficulty ●○○ · 7 minutes · 2 points

The plainest model of one pixel is a table: level $v$ gets the share of training pixels that had it. A level that never came gets probability 0, and one such pixel in the test costs $+\infty$. So a little is added to every count. With $N$ training
pixels, $K$ levels and $\alpha \ge 0$:

$$P(v) = \frac{\#\{i : x_i = v\} + \alpha}{N + K\alpha}.$$

*By hand.* Three levels, training pixels 0, 0, 1, and $\alpha = 1$. Level 0 gets $(2+1)/(3+3) = \frac12$, level 1 gets $\frac13$, level 2, which never came, $\frac16$. They sum to 1. The NLL of level 2 is $\ln 6 = 1.7918$ nats.

<details><summary>Hint 1</summary>

`torch.bincount` counts whole numbers. What happens if the highest level never came? It has an argument for that.
</details>
<details><summary>Hint 2</summary>

First make all $K$ probabilities. Indexing that tensor with `x` then gives one number for each pixel.
</details>
"""


# %% exercise="histogram_nll"
def histogram_nll(x, train, levels, alpha):
    """The NLL in nats (B,) of each level in x under the smoothed shares of `train`.

    x: int64 (B,), train: int64 (N,), both hold levels 0 … levels − 1. alpha ≥ 0 is added to each level's count;
    with alpha = 0 a level that never came costs inf.
    """
    ### BEGIN SOLUTION
    counts = torch.bincount(train, minlength=levels)  # (levels,)
    shares = (counts + alpha) / (len(train) + levels * alpha)
    return -torch.log(shares[x])
    ### END SOLUTION


# %% check="histogram_nll" points=2
check(histogram_nll)

# %% [markdown]
r"""
How much should be added? The validation pixels choose $\alpha$, and not the test pixels. (The table is in bits: nats divided by $\ln 2$.)
"""

# %% tags=["demo"]
predict(
    "Which of these α do the validation pixels choose, of 2,000 training pixels and 256 levels?",
    ["0.01", "0.3", "3"],
    answer=2,
    why="Little smoothing makes levels that never came dear; much of it washes out what was learned. The cell below has the figures.",
)

# %% tags=["demo"]
with solved("histogram_nll"):
    for alpha in (0.0, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0):
        seen, fresh = (
            float(histogram_nll(x, train, 256, alpha).mean()) / math.log(2) for x in (train, valid)
        )
        print(f"alpha {alpha:6.2f}   training {seen:6.3f}   validation {fresh:6.3f} bits a pixel")

# %% [markdown]
r"""
Without smoothing the training pixels are cheapest and some validation pixel costs infinitely much. With $\alpha = 100$ nearly all that was learned is washed out, and the price approaches 8 bits, the price of knowing nothing. A table does not know that 131 lies between 130 and 132: it learns 256
numbers one by one. **What smoothing costs**: the mass that it gives to all levels it takes from those that do come.

A *parametric* form knows about neighbors. It has a few numbers, and a price: it may be the wrong form.

## Exercise 2: a density

`gaussian_nll` · difficulty ●○○ · 6 minutes · 2 points

The Gaussian density with center $\mu$ and standard deviation $\sigma$ is $\frac{1}{\sigma\sqrt{2\pi}} e^{-z^2/2}$ with $z = (x-\mu)/\sigma$. So

$$-\log p(x) = \tfrac12 z^2 + \log\sigma + \tfrac12\log 2\pi.$$

*By hand.* $\mu = 0, \sigma = 1, x = 0$: $\frac12\ln 2\pi = 0.9189$ nats. Now $\sigma = 0.1$: $0.9189 - 2.3026 = -1.3836$ nats. **Negative**, since the density there is 3.989. A density is no probability: it may exceed 1; only its integral may not.

Write the formula, and never the density itself: at $z = 40$ it is $e^{-800}$, which is 0 in floating point, and its logarithm $-\infty$.

<details><summary>Hint 1</summary>

Three terms. Which of them depends on $x$?
</details>
<details><summary>Hint 2</summary>

`mu` and `sigma` are tensors and may have any shape that fits to `x`: `torch.log` works on all of them at once.
</details>
"""


# %% exercise="gaussian_nll"
def gaussian_nll(x, mu, sigma):
    """−log N(x; mu, sigma²) in nats, of the shape that x, mu and sigma broadcast to.

    x, mu, sigma: float tensors; sigma > 0 is the standard deviation.
    """
    ### BEGIN SOLUTION
    z = (x - mu) / sigma
    return 0.5 * z**2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)
    ### END SOLUTION


# %% check="gaussian_nll" points=2
check(gaussian_nll)

# %% [markdown]
r"""
Now the two reports. Ada works with levels 0 … 255. Ben divides by 256 first. (Most image loaders divide by 255, to the same effect.)
"""

# %% tags=["demo"]
with solved("gaussian_nll"):
    for name, unit in (("Ada", 1), ("Ben", 256)):
        mu, sigma = (train / unit).mean(), (train / unit).std()
        nll = gaussian_nll(valid / unit, mu, sigma).mean()
        print(
            f"{name}: mean {mu:7.3f}, σ {sigma:6.3f}, highest density {1 / (sigma * math.sqrt(2 * math.pi)):.4f}, "
            f"validation {nll:6.3f} nats"
        )
    print(f"ln 256 = {math.log(256):.3f}")

# %% [markdown]
r"""
It is one and the same model. With $y = x/256$, the same mass lies on an axis that is 256 times shorter, so the density is 256 times higher: $p_Y(y) = 256\, p_X(x)$. **The NLL of a density has the unit of $x$ inside its logarithm.** Choose a longer ruler and it falls by any amount you like:
neither report says anything before it says *how much a gray level is*. (Differences between models on one axis mean the same on every axis.)

## Exercise 3: several bells

`mixture_nll` · difficulty ●●○ · 9 minutes · 3 points

The sky and the rest are two hills, and one Gaussian fits neither. A mixture has $K$ components with weights $w = \mathrm{softmax}(\text{logits})$:

$$-\log p(x) = -\log \sum_{k=1}^{K} w_k\, \mathcal N(x; \mu_k, \sigma_k^2) = -\operatorname*{logsumexp}_k \big[\log w_k + \log \mathcal N(x; \mu_k, \sigma_k^2)\big].$$

The logarithm of a **sum** of densities; an average of logarithms would be a *product* of Gaussians, which is a single bell again.

*By hand.* Two components with equal weights, centers 0 and 2, both σ = 1, and $x = 0$: densities 0.3989 and 0.0540, average 0.2265, NLL 1.4852 nats. The average of the NLLs, $\frac12(0.9189 + 2.9189) = 1.9189$, is something else.

The right-hand side matters for numbers too. 300 σ away from every component each density is 0 in floating point; `logsumexp` takes the largest exponent out first, and price *and gradient* stay finite.

The parameters have shape $(K,)$, or $(B, K)$ if every $x$ has its own mixture: later a network will give them.

<details><summary>Hint 1</summary>

`x[:, None]` has shape $(B, 1)$: with parameters of either shape you get $(B, K)$. You have a function for the log-densities.
</details>
<details><summary>Hint 2</summary>

`F.log_softmax` gives the log-weights. Over which axis do the weights sum to 1, and over which one do you add?
</details>
"""


# %% exercise="mixture_nll"
def mixture_nll(x, logits, mu, sigma):
    """The NLL in nats (B,) of each x (B,) under a mixture of Gaussians; finite however far x is.

    logits, mu, sigma: (K,), or (B, K) for a mixture of its own for each x; the weights are softmax(logits) over
    the K components, sigma > 0 are standard deviations.
    """
    ### BEGIN SOLUTION
    log_densities = -gaussian_nll(x[:, None], mu, sigma)  # (B, K)
    return -torch.logsumexp(F.log_softmax(logits, dim=-1) + log_densities, dim=-1)
    ### END SOLUTION


# %% check="mixture_nll" points=3
check(mixture_nll)

# %% [markdown]
r"""
The gradient of your NLL with respect to $\log w_k + \log \mathcal N_k$ is minus the **responsibility** of component $k$: the probability that it made this $x$. So descending the NLL pulls each component toward the pixels it is responsible for. The cell fits three components, and draws what each answers for.
"""


# %% tags=["demo"]
def fit_mixture(y, components, steps=400):
    """(logits, mu, sigma) of a mixture fitted to numbers y between 0 and 1 by gradient descent."""
    start = torch.quantile(y, torch.linspace(0.1, 0.9, components))
    free = [torch.zeros(components), start, torch.full((components,), -2.3)]
    free = [value.clone().requires_grad_() for value in free]
    optimizer = torch.optim.Adam(free, lr=0.03)
    for _ in range(steps):
        optimizer.zero_grad()
        mixture_nll(y, free[0], free[1], free[2].exp()).mean().backward()
        optimizer.step()
    logits, mu, log_sigma = (value.detach() for value in free)
    return logits, mu, log_sigma.exp()


with solved("gaussian_nll", "mixture_nll"):
    noise = torch.rand(len(train), generator=torch.Generator().manual_seed(0))
    bells = fit_mixture((train + noise) / 256, 3)
    axis = torch.linspace(0, 1, 400)
    parts = F.log_softmax(bells[0], -1) - gaussian_nll(axis[:, None], *bells[1:])  # (400, 3)
    fig, axes = plt.subplots(1, 2, figsize=(9, 2.9), constrained_layout=True)
    axes[0].hist(train / 256, bins=64, density=True, color="#999999", alpha=0.5)
    axes[0].plot(axis, (-mixture_nll(axis, *bells)).exp(), color="#0072B2")
    axes[0].set(xlabel="gray level / 256", ylabel="density")
    for k, (color, style) in enumerate(
        zip(("#0072B2", "#D55E00", "#009E73"), ("-", "--", "-."), strict=True)
    ):
        axes[1].plot(
            axis, parts.softmax(-1)[:, k], style, color=color, label=f"center {bells[1][k]:.2f}"
        )
    axes[1].set(xlabel="gray level / 256", ylabel="responsibility")
    axes[1].legend()
    show(
        fig,
        "Left: the training pixels and the density of three fitted bells, which exceeds 1 and is highest at the sky. Right: the "
        "responsibilities of the three components, which sum to 1: each takes over from the one before.",
    )

# %% [markdown]
r"""
## Is that so?

> "The best density is the one with the least NLL on pixels that it has not seen."

Half of the weight stays with one wide Gaussian. The other half is shared evenly by 256 spikes, one on *each* level: they know nothing about the photograph. The spikes get narrower and narrower (widths on the axis of levels / 256).
"""

# %% tags=["demo"]
predict(
    "What does the NLL of the validation pixels do as the spikes get narrower?",
    ["it rises", "it falls to a least value", "it falls without end"],
    2,
    "Every gray level is whole: each pixel stands exactly on a spike, whose height has no bound.",
)

# %% tags=["demo"]
with solved("gaussian_nll", "mixture_nll"):
    levels = torch.arange(256) / 256
    logits = torch.tensor([math.log(256)] + [0.0] * 256)  # weights ½, and 1/512 each
    mu = torch.cat([(train / 256).mean()[None], levels])
    for width in (1e-1, 1e-2, 1e-3, 1e-6, 1e-12, 1e-24):
        sigma = torch.cat([(train / 256).std()[None], torch.full((256,), width)])
        nll = mixture_nll(valid / 256, logits, mu, sigma).mean()
        print(f"width {width:5.0e}   validation {nll:8.3f} nats")

# %% [markdown]
r"""
It falls, on pixels that the model has never seen, as far as you like. Gray levels are *whole*: a set of points without width holds all of them, and a density on such a set may be infinite. So **an NLL of a density on whole levels has no lower bound**, and does not say which model is better. Two honest ways are left: give each level the mass of its *bin*, or spread the
data over the bins. The next exercises do both.

## Exercise 4: a density that knows its bins

`discretized_logistic_mixture` · difficulty ●●● · 15 minutes · 4 points

Let the density be as smooth as it likes, and let level $x$ have the mass from $x-\frac12$ to $x+\frac12$. The first level also gets all that lies below it, the last one all that lies above: **open edge bins**. Then the $K$ probabilities sum to 1. Salimans, Karpathy, Chen and Kingma (2017) take *logistic*
components, since their distribution function is the sigmoid, written $\sigma(\cdot)$ from here on; the width is $s$. With $a = (x+\frac12-\mu)/s$ and $b = (x-\frac12-\mu)/s$, one component gives

$$P(x) = \sigma(a) - \sigma(b), \qquad P(0) = \sigma(a), \qquad P(\text{last}) = 1 - \sigma(b) = \sigma(-b).$$

*By hand*, with $\mu$ and $s$ in levels and $\log P$ in nats. $\mu = 10$, $s = 1$, $x = 10$: $\sigma(0.5) - \sigma(-0.5) = 0.6225 - 0.3775 = 0.2449$, so $\log P = -1.4068$.

Now $s = 10^{-4}$ and $x = 20$. Then $a = 105000$ and $b = 95000$: both sigmoids are 1 to the last digit, their difference is 0, its logarithm $-\infty$. A common cure clamps the difference at $10^{-12}$; then every far level costs the same made-up price, and no gradient leads back. An exact cure is a line of algebra:

$$\sigma(a) - \sigma(b) = \sigma(a)\,\sigma(-b)\,\big(1 - e^{-(a-b)}\big).$$

**Check it by hand** for $a = 0.5, b = -0.5$: $0.6225 \cdot 0.6225 \cdot (1 - e^{-1}) = 0.2449$. Its logarithm is a sum of three terms, and none of them ever becomes $-\infty$.

Return $\log P(x)$ under the mixture: the weights and the axis are as in Exercise 3.

<details><summary>Hint 1</summary>

`F.logsigmoid` is exact for every argument. Which function computes $1 - e^{-t}$ without loss for a small $t$? And what is $a - b$?
</details>
<details><summary>Hint 2</summary>

Compute the logarithm for all levels as if they had neighbors; then `torch.where` replaces it for the first level and for the last. The mixture comes after that.
</details>
"""


# %% exercise="discretized_logistic_mixture"
def discretized_logistic_mixture(x, logits, mu, scale, levels):
    """log P(x) in nats (B,) of levels x (B,), int64 in 0 … levels − 1, under a discretized mixture of logistics.

    logits, mu, scale: (K,), or (B, K) for a mixture of its own for each x; mu and scale > 0 are in levels. A level has
    the mass from x − ½ to x + ½, the first and the last one also what lies beyond. Exact for every scale.
    """
    ### BEGIN SOLUTION
    x = x[:, None]  # (B, 1)
    a, b = (x + 0.5 - mu) / scale, (x - 0.5 - mu) / scale  # (B, K)
    below, above = F.logsigmoid(a), F.logsigmoid(-b)
    log_mass = below + above + torch.log(-torch.expm1(-1 / scale))
    log_mass = torch.where(x == 0, below, log_mass)
    log_mass = torch.where(x == levels - 1, above, log_mass)
    return torch.logsumexp(F.log_softmax(logits, dim=-1) + log_mass, dim=-1)
    ### END SOLUTION


# %% check="discretized_logistic_mixture" points=4
check(discretized_logistic_mixture)

# %% [markdown]
r"""
Your function, in the widget: it is asked where you drag, and its sum over all 256 levels stands beside the widget's. Narrow a bell to the least width, put it between two levels, put it beyond the end.
"""

# %% tags=["demo"]
MixtureExplorer.of(discretized_logistic_mixture, counts.tolist())

# %% [markdown]
r"""
## Exercise 5: draw a level

`sample` · difficulty ●●○ · 8 minutes · 3 points

A mixture is a recipe: **choose** a component with its weight, **draw** a number from that component, take the **nearest** level, and if it lies beyond an end, take the end. A logistic number is made from a uniform $u$ by inverting the sigmoid: $\mu + s\,(\ln u - \ln(1-u))$.

*By hand*, in levels. $\mu = 10$, $s = 2$, $u = 0.9$: $10 + 2 \ln 9 = 14.394$, so the level 14. The *center* of the chosen component, or the mean of the mixture, is no sample: it would be 10 for ever.

<details><summary>Hint 1</summary>

`torch.multinomial` draws components; it wants probabilities, not logits, and must put each back after drawing it.
</details>
<details><summary>Hint 2</summary>

Indexing `mu` with the chosen components gives each sample its own center. All randomness must come from `generator` (None: torch's own).
</details>
"""


# %% exercise="sample"
def sample(logits, mu, scale, count, levels, generator=None):
    """Levels, int64 (count,), drawn from the discretized mixture of logistics.

    logits, mu, scale: (K,), as in discretized_logistic_mixture. All randomness comes from
    `generator` (None: torch's own).
    """
    ### BEGIN SOLUTION
    chosen = torch.multinomial(logits.softmax(-1), count, replacement=True, generator=generator)
    u = torch.rand(count, generator=generator, dtype=mu.dtype, device=mu.device)
    x = mu[chosen] + scale[chosen] * torch.logit(u)
    return x.round().clamp(0, levels - 1).long()
    ### END SOLUTION


# %% check="sample" points=3
check(sample)

# %% [markdown]
r"""
## Exercise 6: fill the bins

`dequantize` · difficulty ●○○ · 4 minutes · 2 points

The other way: keep the density, and change the data. Uniform noise $u$ between 0 and 1 spreads each level over its bin (now from $x$ to $x+1$: as wide as before, half a level higher), and a division brings all of them into $[0, 1)$:

$$y = \frac{x + u}{K}.$$

*By hand.* $K = 256$, level 3, $u = 0.5$: $y = 3.5/256 = 0.01367$. Rounded down, $256\,y$ is 3 again, so the levels are all still there. A spike no longer pays: the noise is new in every pass and in the test, and a spike holds hardly any of a bin that is filled evenly.

<details><summary>Hint 1</summary>

How many bins are there, $K$ or $K-1$? Where does the last one end?
</details>
<details><summary>Hint 2</summary>

`torch.rand` takes a shape, a generator and a device.
</details>
"""


# %% exercise="dequantize"
def dequantize(x, levels, generator=None):
    """Levels x, int64 of any shape, spread uniformly over their bins of [0, 1): floats of the same shape."""
    ### BEGIN SOLUTION
    u = torch.rand(x.shape, generator=generator, device=x.device)
    return (x + u) / levels
    ### END SOLUTION


# %% check="dequantize" points=2
check(dequantize)

# %% [markdown]
r"""
## Exercise 7: one ruler

`bits_per_dim` · difficulty ●○○ · 5 minutes · 2 points

Papers report **bits per dimension**: what one gray level costs. From the NLL of an example with $D$ dimensions, in nats, under a density on $[0,1)^D$:

$$\text{bits per dimension} = \frac{\text{NLL}}{D \ln 2} + \log_2 K.$$

The second term is the answer to the question of this lesson: on that axis, a gray level is $1/K$ wide. A density of 1 everywhere says nothing about the pixels; its NLL is 0, and each level costs the $\log_2 256 = 8$ bits that it takes to write it down.

*By hand.* $D = 2$, $K = 8$, NLL $= -1$: $-1/(2 \cdot 0.6931) + 3 = 2.2787$ bits.

<details><summary>Hint 1</summary>

Which of the two terms must be shared among the dimensions, and which one does each of them have for itself?
</details>
<details><summary>Hint 2</summary>

Test it with NLL = 0: what should 256 levels cost? And 2?
</details>
"""


# %% exercise="bits_per_dim"
def bits_per_dim(nll, dims, levels):
    """Bits per dimension (B,) of whole levels, from the NLL in nats (B,) of a density on [0, 1)^dims."""
    ### BEGIN SOLUTION
    return nll / (dims * math.log(2)) + math.log2(levels)
    ### END SOLUTION


# %% check="bits_per_dim" points=2
check(bits_per_dim)

# %% [markdown]
r"""
What has this number to do with the probability of a level? The mass of bin $x$ is $P(x) = \int_0^1 p(x+u)\,du$, and the logarithm of an average is at least the average of the logarithms (Jensen):

$$\mathbb E_u[\log p(x + u)] \;\le\; \log \int_0^1 p(x+u)\, du = \log P(x).$$

So **bits per dimension of dequantized data are an upper bound** on the bits of a proper model of levels (Theis, van den Oord and Bethge, 2016), and cannot fall without bound. The cell draws 200,000 levels from a Gaussian that is $\sigma$ levels wide, with exact $P(x)$ beside your dequantized density.
"""

# %% tags=["demo"]
predict(
    "For which Gaussian do the dequantized bits lie far above the exact ones?",
    ["a wide one, σ = 10 levels", "a narrow one, σ = 0.3 levels", "as far for both"],
    answer=1,
    why="A density that hardly changes within a bin is nearly its average there.",
)

# %% tags=["demo"]
with solved("gaussian_nll", "dequantize", "bits_per_dim"):
    generator = torch.Generator().manual_seed(0)
    for width in (0.3, 0.5, 1.0, 3.0, 10.0):
        mu, sigma = (
            torch.tensor(128.5, dtype=torch.float64),
            torch.tensor(width, dtype=torch.float64),
        )
        x = (
            (mu + sigma * torch.randn(200_000, generator=generator, dtype=torch.float64))
            .floor()
            .long()
        )
        mass = torch.special.ndtr((x + 1 - mu) / sigma) - torch.special.ndtr((x - mu) / sigma)
        exact = -torch.log2(mass)
        y = dequantize(x, 256, generator).double()
        bound = bits_per_dim(gaussian_nll(y, mu / 256, sigma / 256), 1, 256)
        gap = bound - exact
        print(
            f"σ {width:4.1f} levels   exact {exact.mean():6.3f}   dequantized {bound.mean():6.3f}   "
            f"gap {gap.mean():6.4f} ± {gap.std() / len(gap) ** 0.5:.4f} bits"
        )

# %% [markdown]
r"""
A density that hardly changes within a bin loses next to nothing (about $1/(24\sigma^2)$ nats for a Gaussian that is $\sigma$ levels wide); one that is narrower than a bin pays dearly for pretending that levels are continuous. The noise at test time must be that of a whole bin: noise of half the width would leave every $y$ in the lower half of its bin, and the number would be no bound of anything.

## Two numbers: a product of learned conditionals

So far every number was alone. The chain rule asks for one conditional after the other: $p(x, y) = p(x)\,p(y \mid x)$. Our data have a shape that no Gaussian has: points on a spiral, each coordinate one of 64 levels. Three models:

 - **RNADE** (Uria, Murray and Larochelle, 2013): a network reads the coordinate that came before and gives the $3K$ numbers of a mixture for the next one: logits, means and widths. Its loss is *your* `mixture_nll`. This one takes $x$ first.
 - Another RNADE, which takes $y$ first.
 - A **MADE with 64 ways** for each coordinate keeps the levels: a softmax over 64 in place of lesson 5's sigmoid. Nothing in the lessons before depended on the variables being bits.

All three are measured in bits per dimension, as in Exercise 7. MADE's number is exact; RNADE's are upper bounds, by the inequality above.
"""

# %% tags=["demo"]
predict(
    "Given x, how many hills can p(y | x) have on this spiral of one and a half turns?",
    ["one", "up to four", "as many as there are points"],
    1,
    "A vertical line crosses the arms up to four times. One Gaussian would put its mass between them, where no point is.",
)


# %% tags=["demo"]
def spiral(count, seed):
    """Points (count, 2) of a noisy spiral, in levels 0 … 63."""
    generator = torch.Generator().manual_seed(seed)
    turn = torch.rand(count, generator=generator).sqrt()
    angle = 3 * math.pi * turn
    points = turn[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    points = points + 0.03 * torch.randn(count, 2, generator=generator)
    return ((points + 1.15) / 2.3 * 64).floor().clamp(0, 63).long()


class RNADE(nn.Module):
    """A mixture for the first coordinate of `order`, and one that a network says for the second."""

    def __init__(self, order, components=10):
        super().__init__()
        self.order = order
        spread = torch.linspace(-1, 1, components)
        start = torch.cat([0 * spread, spread, torch.full((components,), -1.5)])
        self.first = nn.Parameter(start)
        self.net = nn.Sequential(
            nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3 * components)
        )
        with torch.no_grad():
            self.net[-1].bias.copy_(start)

    def nll(self, y):
        """Nats (B,) of points y (B, 2) in [0, 1)²; the mixtures live on an axis twice as long."""
        first, second = (2 * y[:, i] - 1 for i in self.order)
        nll = -2 * math.log(2)
        for value, numbers in ((first, self.first), (second, self.net(first[:, None]))):
            logits, mu, log_sigma = numbers.chunk(3, dim=-1)
            nll = nll + mixture_nll(value, logits, mu, log_sigma.exp().clamp(min=0.01))
        return nll


class LevelMADE(nn.Module):
    """A table of 64 for x, and a table of 64 for y that a network says after it has seen x's level."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(torch.zeros(64))
        self.net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64))

    def nll(self, levels):
        x, y = levels.T
        of_x = F.cross_entropy(self.first.expand(len(x), -1), x, reduction="none")
        return of_x + F.cross_entropy(self.net(F.one_hot(x, 64).float()), y, reduction="none")


with solved("gaussian_nll", "mixture_nll", "dequantize", "bits_per_dim"):
    noise = torch.Generator().manual_seed(0)
    known, unseen = spiral(1_000, seed=0), spiral(4_000, seed=1)
    filled = tuple(dequantize(levels, 64, noise) for levels in (known, unseen))
    spirals = {}
    for name, make, (one, other) in (
        ("RNADE, x first", lambda: RNADE((0, 1)), filled),
        ("RNADE, y first", lambda: RNADE((1, 0)), filled),
        ("MADE of 64 levels", LevelMADE, (known, unseen)),
    ):
        torch.manual_seed(0)
        model = make()
        fit(
            model, one, other, epochs=60, batch_size=100, lr=5e-3,
            loss=lambda model, points: model.nll(points), progress=False,
        )  # fmt: skip
        with torch.no_grad():
            bits = bits_per_dim(model.nll(other), 2, 64 if one.is_floating_point() else 1)
        spirals[name] = model
        print(
            f"{name:18} {bits.mean():.3f} ± {bits.std() / len(bits) ** 0.5:.3f} bits a coordinate (validation)"
        )

# %% tags=["demo"]
with solved("gaussian_nll", "mixture_nll", "dequantize", "bits_per_dim"):
    grid = torch.cartesian_prod(torch.arange(64), torch.arange(64))
    fig, axes = plt.subplots(1, 4, figsize=(10, 2.9), constrained_layout=True)
    axes[0].scatter(*known.T, s=2, color="#0072B2")
    axes[0].set(title="1,000 points", xlim=(-0.5, 63.5), ylim=(-0.5, 63.5), aspect="equal")
    for ax, (name, model) in zip(axes[1:], spirals.items(), strict=True):
        at = grid if isinstance(model, LevelMADE) else (grid + 0.5) / 64
        with torch.no_grad():
            joint = (-model.nll(at)).exp().reshape(64, 64)
        ax.imshow(joint.T.sqrt(), origin="lower", cmap="viridis")
        ax.set(title=name)
    for ax in axes:
        ax.set(xticks=[], yticks=[])
    show(
        fig,
        "Four squares. Points on a spiral. RNADE that takes x first: a smooth spiral, with bridges where a vertical line touches an arm. "
        "RNADE that takes y first: the same, with bridges where a horizontal line does. MADE: a spiral of spots, and haze in columns that had no point.",
    )

# %% [markdown]
r"""
The true joint has no order; each learned one shows its own. Where a vertical line only touches an arm, two hills are born at once, and a network that is smooth in $x$ draws a bridge between arms; taken the other way the bridges lie elsewhere. The levels of MADE know nothing of their neighbors: with 1,000 points MADE pays more than RNADE, which assumes that hills
are Gaussian, though RNADE's number is only a bound. (The two networks differ in more than this.) Give all three 4,000 points, and see what is left of the difference.

## The experiment: what do the neighbors say?

Back to the photograph, and to its proper likelihood: one conditional $p(x_i \mid x_{<i})$ of the many that an image has (lesson 9 computes them all in one pass). A small network reads the four neighbors and outputs the $3K$ numbers of *your* discretized mixture. Beside it stands the same network with a softmax over 256 levels, which is free to say
anything, and must learn that 131 is next to 130. All see the same 2,000 training pixels; the epoch is chosen on the validation pixels.
"""


# %% tags=["demo"]
def network(outputs):
    """Two hidden layers from what the neighbors are to `outputs` numbers."""
    return nn.Sequential(
        nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs)
    )


def features(seen):
    """The neighbors' mean (B, 1), and the network's input (B, 4): that mean, and three differences from it."""
    mean = seen.float().mean(1, keepdim=True)
    return mean, torch.cat([mean - 128, seen[:, :3] - mean], 1) / 64


class MixtureOfNeighbors(nn.Module):
    """A discretized mixture of logistics whose parameters are functions of the neighbors."""

    def __init__(self, components):
        super().__init__()
        self.net = network(3 * components)
        with torch.no_grad():  # scales of 1 to 55 levels at first
            self.net[-1].bias[2 * components :] = torch.linspace(0, 4, components)

    def nll(self, x, seen):
        mean, given = features(seen)
        logits, shift, log_scale = self.net(given).chunk(3, dim=1)  # (B, K) each
        scale = log_scale.exp().clamp(min=0.01)
        return -discretized_logistic_mixture(x, logits, mean + 30 * shift, scale, 256)


class SoftmaxOfNeighbors(nn.Module):
    """A table of 256 probabilities that is a function of the neighbors."""

    def __init__(self):
        super().__init__()
        self.net = network(256)

    def nll(self, x, seen):
        return F.cross_entropy(self.net(features(seen)[1]), x, reduction="none")


# %% tags=["demo"]
with solved("discretized_logistic_mixture", "histogram_nll"):
    losses = {"table, no neighbors": histogram_nll(valid, train, 256, 1.0)}
    trained = {}
    makers = {
        "softmax of neighbors": SoftmaxOfNeighbors,
        "1 logistic": lambda: MixtureOfNeighbors(1),
        "5 logistics": lambda: MixtureOfNeighbors(5),
    }
    for name, make in tqdm(makers.items(), desc="training"):
        torch.manual_seed(0)
        model = make()
        history = fit(
            model,
            (train, train_seen),
            (valid, valid_seen),
            epochs=60,
            batch_size=100,
            lr=3e-3,
            loss=lambda model, x, seen: model.nll(x, seen),
            progress=False,
        )
        with torch.no_grad():
            losses[name] = model.nll(valid, valid_seen)
        trained[name] = model, history

# %% tags=["demo"]
with solved("discretized_logistic_mixture", "histogram_nll"):
    for name, loss in losses.items():
        bits = loss / math.log(2)
        better = (losses["1 logistic"] - loss) / math.log(2)
        print(
            f"{name:21} {bits.mean():6.3f} bits a pixel (validation)   below one logistic by "
            f"{better.mean():6.3f} ± {better.std() / len(better) ** 0.5:.3f}"
        )

# %% tags=["demo"]
with solved("discretized_logistic_mixture"):
    fig, ax = plt.subplots(figsize=(7, 2.9), constrained_layout=True)
    looks = ("#999999 -.", "#D55E00 --", "#0072B2 -")
    for (name, (_, history)), look in zip(trained.items(), looks, strict=True):
        color, style = look.split()
        ax.plot(np.array(history.valid) / math.log(2), style, color=color, label=name)
    ax.set(xlabel="epoch", ylabel="validation bits a pixel", ylim=(3.5, 9))
    ax.legend()
    show(
        fig,
        "Validation bits a pixel over 60 epochs. The softmax stays two bits above the mixtures, which settle near "
        "4; five logistics lie a little below one.",
    )

# %% [markdown]
r"""
**The number to beat is that of one logistic.** The last column compares the models *pixel by pixel*: the error of a difference of pairs is much smaller than that of either average. (It counts the pixels as independent; those of one photograph are not quite, so the true error is larger.) Change the number of components, the width of the layers or the
neighbors, choose on validation pixels, and open the test once, with the last model that you keep.
"""

# %% tags=["demo"]
with solved("discretized_logistic_mixture"):
    for name, (model, _) in trained.items():
        with torch.no_grad():
            print(
                f"{name:21} test {model.nll(test, test_seen).mean() / math.log(2):6.3f} bits a pixel"
            )

# %% [markdown]
r"""
The test strips show another part of the photograph: one logistic pays a whole bit more for each of their pixels than on the validation strips.

The neighbors say much more than any form of the table. And form matters (the mixture counts its centers from the neighbors' mean, which the softmax has to learn): with 2,000 pixels the softmax must learn each of 256 outputs from eight examples on average, while three numbers say "near the mean of the neighbors, give or take". With ten times as many pixels the softmax comes closer: you can see it with **Try** below. The output layer is an assumption about data; which one to take depends on how many there are.

## Exercise 8: does it know how unsure it is?

`pit` · difficulty ●●○ · 6 minutes · 2 points

Two models with the same NLL can fail in opposite ways: one too sure, one too cautious. Ask each what share of its probability lies below the outcome:

$$F(x) = \sum_k w_k\, \Phi\!\left(\frac{x-\mu_k}{\sigma_k}\right).$$

This is the **probability integral transform**. If the model is right, then $F(x)$ is *uniform* between 0 and 1: in one case out of ten the outcome lies in the model's lowest tenth.

*By hand.* $\mu = 0, \sigma = 1$: $F(0) = 0.5$ and $F(1.645) = 0.95$.

<details><summary>Hint 1</summary>

`torch.special.ndtr` is $\Phi$. A distribution function of a mixture is a plain average: no logarithm is needed.
</details>
<details><summary>Hint 2</summary>

The shapes are those of `mixture_nll`: $(B, 1)$ against $(K,)$ or $(B, K)$.
</details>
"""


# %% exercise="pit"
def pit(x, logits, mu, sigma):
    """The probability (B,) that a mixture of Gaussians puts below each x (B,); parameters as in mixture_nll."""
    ### BEGIN SOLUTION
    below = torch.special.ndtr((x[:, None] - mu) / sigma)  # (B, K)
    return (logits.softmax(-1) * below).sum(-1)
    ### END SOLUTION


# %% check="pit" points=2
check(pit)

# %% [markdown]
r"""
What is left of a dequantized pixel when the mean of its neighbors is taken away? Three Gaussians are fitted to that, and asked about other pixels of the *same* strips; then all their $\sigma$ are halved, and doubled.
"""

# %% tags=["demo"]
predict(
    "A model's σ is half of the true one. Where do its F(x) pile up?",
    ["in the middle", "at both ends", "nowhere: F(x) is uniform"],
    1,
    "What came lies outside of what the model held possible too often, on either side.",
)

# %% tags=["demo"]
with solved("gaussian_nll", "mixture_nll", "dequantize", "pit"):
    generator = torch.Generator().manual_seed(0)

    def surprises(x, seen):
        """What the dequantized pixels are above the mean of their neighbors."""
        return dequantize(x, 256, generator) - seen.float().mean(1) / 256

    logits, mu, sigma = fit_mixture(surprises(train, train_seen), 3)
    y = surprises(*pixels((0, 2, 4, 5, 7, 9), 8_000, seed=3))
    fig, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharey=True, constrained_layout=True)
    for ax, factor in zip(axes, (0.5, 1.0, 2.0), strict=True):
        shares = torch.histc(pit(y, logits, mu, factor * sigma), 10, 0, 1) / len(y)
        ax.bar(np.arange(10) / 10 + 0.05, shares, width=0.09, color="#0072B2")
        ax.axhline(0.1, color="#D55E00", linestyle="--")
        ax.set(title=f"σ × {factor:g}", xlabel="F(x)")
        print(
            f"σ × {factor:g}: {shares[[0, -1]].sum():.1%} in the two end tenths, where 20 % belong"
        )
    axes[0].set_ylabel("share of pixels")
    show(
        fig,
        "Shares of F(x) in tenths. With the fitted sigmas all are near one tenth. With halved sigmas the two ends stand out. With "
        "doubled sigmas the middle does, and the ends are low.",
    )

# %% [markdown]
r"""
A hill at the **ends** says "too sure": too often the outcome lies outside of what the model held possible. A hill in the **middle** says "too cautious". A slope says that the center is off. And a uniform histogram is *necessary, not sufficient*: the table without neighbors can be perfectly calibrated, and still costs nearly four bits a validation pixel more than a model that looks.

## A question to answer in words

 1. A paper reports $-3.2$ nats per dimension for 8-bit images, another one 3.4 bits per dimension. Name three things that you must know before you can compare them.
 2. A colleague fits a density to raw 8-bit levels divided by 256, and the validation NLL keeps falling for days. Explain, and give two cures. What does each cost?
 3. Why do Salimans and colleagues leave the edge bins open? What would go wrong in training, and what in sampling, if all bins had width 1?

A few sentences for each.
"""

# %% [markdown] question="which_ruler" points=2
r"""
### BEGIN SOLUTION
1. The unit of $x$ (levels, $[0,1)$, $[-1,1]$, standardized): it shifts an NLL by its logarithm. Whether the numbers are of a density or of probabilities of levels; if of a density, whether the data were dequantized, with noise of a full bin at test time too (a bound), or not (no meaning). The logarithm's base; and of course the same data, split and number of levels. With $[0,1)$ and full noise, $-3.2$ nats are $8 - 4.617 = 3.383$ bits: nearly the same.
2. Whole levels lie on a set of width 0; a component that narrows on a common level gains without bound, on unseen pixels too, as they have the same levels. Dequantize: the number becomes an upper bound, loose where the density is narrower than a bin. Or discretize: exact, but the model must be able to integrate its density over a bin.
3. What a component puts beyond the ends belongs to no level else: the probabilities sum to less than 1. Training then pays to keep all mass inside, so that saturated pixels (black and white, which are common) are hard to predict; and the sampler, which clamps, would draw from another distribution than the one that was scored.

Rubric: ½ point for the unit of $x$. ½ point for density against probability, with dequantization. ½ point for the unbounded gain on repeated levels and one cure with its price. ½ point for the sum below 1 and one consequence.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

A density has a unit: its NLL moves with the ruler, may be negative, and on whole levels has no lower bound. Give a level the mass of its bin (open at both ends), or fill the bin with noise; then bits per dimension, $\mathrm{NLL}/(D\ln 2) + \log_2 K$, are an honest number, exact in the first way and an upper bound in the second. Mixtures are added
as densities and computed as logarithms. A uniform probability integral transform says that a model knows how unsure it is, not that it knows much.

## Go further

 - C. M. Bishop (1994). *Mixture Density Networks.* Technical report NCRG/94/004, Aston University.
 - B. Uria, I. Murray, H. Larochelle (2013). *RNADE: The Real-valued Neural Autoregressive Density-estimator.* NeurIPS.
 - L. Theis, A. van den Oord, M. Bethge (2016). *A Note on the Evaluation of Generative Models.* ICLR. Section 3.1: the bound.
 - T. Salimans, A. Karpathy, X. Chen, D. P. Kingma (2017). *PixelCNN++.* ICLR. Section 2.1: the discretized mixture of logistics.
 - J. Ho, X. Chen, A. Srinivas, Y. Duan, P. Abbeel (2019). *Flow++.* ICML. Noise that a network learns makes the bound tighter.
 - A. P. Dawid (1984). *Statistical Theory: The Prequential Approach.* Journal of the Royal Statistical Society A 147. T. Gneiting, F. Balabdaoui, A. E. Raftery (2007). *Probabilistic Forecasts, Calibration and Sharpness.* JRSS B 69.

**Try:** train on 20,000 pixels in place of 2,000. How much of the gap does the softmax close?

## Recall

Cover the screen above, and answer aloud before you unfold.

<details><summary>Somebody reports −2.1 nats per pixel. What do you ask first?</summary>

In which unit the pixels were, and whether they were dequantized: without both the number says nothing.
</details>
<details><summary>Is a density of 4 at some point a mistake?</summary>

No. Only its integral is bounded by 1.
</details>
<details><summary>Why is a mixture's NLL not the weighted mean of its components' NLLs?</summary>

The densities are averaged, and the logarithm comes last. The mean of the NLLs is an upper bound (Jensen).
</details>
<details><summary>What does level 255 of 256 have that level 254 has not?</summary>

All the mass above it: an open bin.
</details>
<details><summary>A density on $[0,1)$ has an NLL of 0 for each pixel. How many bits per dimension, at 256 levels?</summary>

8: it is uniform, and knows nothing.
</details>
<details><summary>The histogram of F(x) is a hill in the middle. What is wrong with the model?</summary>

It is too cautious: its σ are too large.
</details>
"""
