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
#     name: 08_order
#     title: "Order: same joint, different hypothesis space"
#     question: "The chain rule holds in any order. Then why should it matter in which order a model predicts?"
#     minutes: 110
#     prerequisites: [02_chain_rule, 03_fvsbn, 05_made, 06_kl]
# ---

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from scipy.integrate import quad_vec
from scipy.optimize import minimize
from scipy.special import expit, rel_entr
from scipy.stats import norm
from torch import nn

from autograder import check
from course import data
from course.demo import solved
from course.picture import show
from course.progress import tqdm
from course.training import fit
from figures import static
from figures.arrow import ArrowExplorer
from figures.predict import predict

# %% [markdown]
r"""
## Two arrows for one world

A machine draws two numbers. First $x_1$, from a standard normal. Then $x_2$: a narrow Gaussian around 0 if $x_1$ was negative, around 1 if it was positive.

You want a model of the pairs $(x_1, x_2)$. You choose a direction, and give *each* factor the simplest network output there is, a Gaussian:

 - **x1 → x2**: $\;q(x_1)\,q(x_2 \mid x_1)$, or
 - **x2 → x1**: $\;q(x_2)\,q(x_1 \mid x_2)$.

The chain rule holds either way. **Turn the arrow** below. On the left is the world, on the right the best model with this arrow. Which of the two pictures changes?
"""

# %% tags=["demo"]
ArrowExplorer()

# %% [markdown]
r"""
The world stays. The model does not: with the arrow turned, the best Gaussian model smears probability over places where no pair ever lands, though its network may be as large as you like.

So two sentences, both of which you will find in textbooks, seem to quarrel:

> "The order does not change the joint." · "Different orders represent different hypothesis spaces."

At the end of this lesson both will be true, and you will have a number, in nats, for what lies between them.
"""

# %% [markdown]
r"""
## Exercise 1: what x2 looks like alone

`marginal_x2` · difficulty ●○○ · 6 minutes · 3 points

The world of this lesson:

$$X_1 \sim N(0, 1), \qquad X_2 \mid X_1 \sim N\big(\mu(X_1),\, \varepsilon\big), \qquad \mu(x_1) = \begin{cases}\mu_1 & x_1 > 0\\ \mu_0 & x_1 \le 0.\end{cases}$$

In the code `mu` is the pair $(\mu_0, \mu_1)$; the machine above has `(0, 1)`. And $\varepsilon$ is a **variance**, like every second argument of $N$ here. Its root $\sqrt\varepsilon$ is the standard deviation.

For the arrow x2 → x1 we need $p(x_2)$ first. Sum $x_1$ out: half the time it is on one side, half on the other.

$$p(x_2) = \tfrac12\, N(x_2;\, \mu_0, \varepsilon) + \tfrac12\, N(x_2;\, \mu_1, \varepsilon).$$

*By hand.* `mu = (0, 1)`, $\varepsilon = 0.04$, so $\sqrt\varepsilon = 0.2$. A bump is $\frac{1}{0.2\sqrt{2\pi}} = 1.9947$ high. At $x_2 = 0$ we are on top of the first bump, and five standard deviations from the other: $p = \frac12 \cdot 1.9947 + \frac12 \cdot 0.0000 = 0.9974$. In the middle, $x_2 = 0.5$, both are $1.9947\, e^{-0.25/0.08} = 0.0876$ high: $p = 0.0876$.

<details><summary>Hint 1</summary>

`norm.pdf(x, loc, scale)` from `scipy.stats` is a Gaussian density. Its third argument is a *standard deviation*.
</details>
<details><summary>Hint 2</summary>

Average two **densities**. (Not two means, and not two random numbers.)
</details>
"""

# %% tags=["demo"]
predict(
    "A single Gaussian has the right mean, ½, and the right variance. What does it make of the middle, where hardly any of the data lie?",
    ["the least likely place", "as likely as it is", "the likeliest place of all"],
    answer=2,
    why="A Gaussian is highest at its mean: 0.74 there, where the truth has 0.0876.",
)


# %% exercise="marginal_x2"
def marginal_x2(x2, mu, eps):
    """The density of X2: an array of the shape of x2, or a number.

    mu: (mean of X2 where x1 ≤ 0, mean of X2 where x1 > 0). eps: the VARIANCE of X2 given X1.
    """
    ### BEGIN SOLUTION
    sigma = np.sqrt(eps)
    return 0.5 * norm.pdf(x2, mu[0], sigma) + 0.5 * norm.pdf(x2, mu[1], sigma)
    ### END SOLUTION


# %% check="marginal_x2" points=3
check(marginal_x2)

# %% [markdown]
r"""
## Exercise 2: turn the arrow

`reverse_posterior` · difficulty ●●○ · 12 minutes · 4 points

Now the other factor. Bayes' rule turns the arrow:

$$p(x_1 \mid x_2) = \frac{p(x_1)\; p(x_2 \mid x_1)}{p(x_2)} .$$

On each side of 0, $p(x_2 \mid x_1)$ is a constant, so the answer is a standard bell in **two pieces**. Let $w$ be the probability of the upper side, $w = P(X_1 > 0 \mid x_2)$. Then

$$p(x_1 \mid x_2) = \begin{cases} 2\,\varphi(x_1)\; w & x_1 > 0\\ 2\,\varphi(x_1)\,(1 - w) & x_1 \le 0,\end{cases} \qquad \varphi = \text{density of } N(0, 1).$$

*By hand.* `mu = (0, 1)`, $\varepsilon = 0.04$, $x_2 = 0.6$. The two bumps are $1.9947\, e^{-0.36/0.08} = 0.0222$ and $1.9947\, e^{-0.16/0.08} = 0.2700$ high there, so $w = \frac{0.2700}{0.0222 + 0.2700} = 0.9241$. With $\varphi(0.5) = 0.3521$: $\;p(0.5 \mid 0.6) = 2 \cdot 0.3521 \cdot 0.9241 = 0.6507$, and $p(-0.5 \mid 0.6) = 2 \cdot 0.3521 \cdot 0.0759 = 0.0534$.

<details><summary>And far out, at x2 = 100?</summary>

Both bumps are $e^{-100{,}000}$ and smaller: exactly 0 in floating point. It is the *ratio* that counts, and its logarithm is harmless: in

$$\log\frac{w}{1-w} = -\frac{(x_2 - \mu_1)^2}{2\varepsilon} + \frac{(x_2-\mu_0)^2}{2\varepsilon} = \frac{\mu_1 - \mu_0}{\varepsilon}\Big(x_2 - \frac{\mu_0 + \mu_1}{2}\Big)$$

the squares cancel. At $x_2 = 0.6$ that is $25 \cdot 0.1 = 2.5$, and $\sigma(2.5) = 0.9241$, as above.
</details>

<details><summary>Hint 1</summary>

`expit` from `scipy.special` is the sigmoid σ, and $1 - \sigma(t) = \sigma(-t)$. So both sides are one formula: which sign does $t$ take where?
</details>
<details><summary>Hint 2</summary>

`np.where(x1 > 0, t, -t)` chooses entry by entry, and broadcasts.
</details>
"""

# %% tags=["demo"]
predict(
    "At x2 = 100, what does floating point make of w, computed from the heights of the two bumps?",
    ["1", "0", "NaN"],
    answer=2,
    why="Both heights are 0 there, so w is 0/0. In truth it is as good as 1; the fold above has a form that stays finite.",
)


# %% exercise="reverse_posterior"
def reverse_posterior(x1, x2, mu, eps):
    """The density p(x1 | x2); x1 and x2 are numbers or arrays that broadcast.

    mu: (mean of X2 where x1 ≤ 0, mean of X2 where x1 > 0). eps: the VARIANCE of X2 given X1. Finite also where
    p(x2) is 0 in floating point.
    """
    ### BEGIN SOLUTION
    log_odds = (mu[1] - mu[0]) * (x2 - (mu[0] + mu[1]) / 2) / eps
    side = expit(np.where(x1 > 0, log_odds, -log_odds))
    return 2 * norm.pdf(x1) * side
    ### END SOLUTION


# %% check="reverse_posterior" points=4
check(reverse_posterior)

# %% [markdown]
r"""
Three shapes of $p(x_1 \mid x_2)$: for $x_2$ in the middle (0.5), a little above it (0.6), and on top of the upper bump (1.0).
"""

# %% tags=["demo"]
predict(
    "x2 lies on top of the upper bump, at 1.0. Which shape has p(x1 | x2)?",
    ["a Gaussian", "half a bell", "two bumps"],
    answer=1,
    why="There x2 tells the sign of x1 and nothing else.",
)

# %% tags=["demo"]
with solved("reverse_posterior"):
    x1 = np.linspace(-3.5, 3.5, 701)
    fig, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharey=True, constrained_layout=True)
    for ax, x2 in zip(axes, (0.5, 0.6, 1.0), strict=True):
        ax.fill_between(x1, reverse_posterior(x1, x2, (0, 1), 0.04), color="#0072B2", alpha=0.4)
        ax.plot(x1, norm.pdf(x1), ":", color="#000000", label="p(x1)")
        ax.set(title=f"p(x1 | x2 = {x2})", xlabel="x1")
    axes[0].legend()
    show(
        fig,
        "Three densities of x1. At x2 = 0.5 the standard bell, unchanged. At 0.6 two pieces with a jump at 0: "
        "twelve times higher on the right. At 1.0 the right half of a bell, and nothing on the left.",
    )

# %% [markdown]
r"""
In the middle, $x_2$ says nothing, and $x_1$ stays a Gaussian. On top of a bump it tells the sign of $x_1$ and nothing else: **half a bell**. Between them, a bell with a step. Only the first of the three is a Gaussian.
"""

# %% tags=["demo"]
predict(
    "A network with x2 for its input puts out a Gaussian for x1: two numbers. It is made ten times as "
    "wide. How much closer does its best q(x1 | x2) come to the half bell at x2 = 1?",
    ["as close as one likes, if it is wide enough", "somewhat closer", "not at all"],
    answer=2,
    why="A Gaussian is fixed by its mean and its variance, and a small network can put out both of them "
    "exactly. The next exercise finds out how far from the half bell the best pair stays.",
)

# %% [markdown]
r"""
## Exercise 3: the best a Gaussian can do

`best_reverse_gaussian` · difficulty ●●● · 15 minutes · 4 points

Take the arrow x2 → x1, a Gaussian for each factor, and a network of unlimited size: $q(x_2) = N(m_2, v_2)$, and $q(x_1 \mid x_2) = N\big(m(x_2),\, v(x_2)\big)$ with *any* functions $m$ and $v$. Which is the best, in likelihood?

Likelihood is forward KL (lesson 6), and the Gaussian of least $\mathrm{KL}(p\|q)$ has **the mean and the variance of $p$**. In both factors, and in the second one for each $x_2$ anew:

$$m_2 = E[X_2],\quad v_2 = \mathrm{Var}[X_2], \qquad m(x_2) = E[X_1 \mid x_2],\quad v(x_2) = \mathrm{Var}[X_1 \mid x_2].$$

*By hand*, `mu = (0, 1)`, $\varepsilon = 0.04$. The mean of $X_2$ is ½. Its variance is that *within* a bump plus that *between* the bumps: $v_2 = 0.04 + (\tfrac12)^2 = 0.29$.

At $x_2 = 0.6$: the right half of a bell has the mean $\sqrt{2/\pi} = 0.7979$, the left half $-0.7979$. With the weights 0.9241 and 0.0759 the mean is $0.8482 \cdot 0.7979 = 0.677$. And $x_1^2$ does not care about sides: $E[X_1^2 \mid x_2] = 1$, whatever $x_2$ is. So $v = 1 - 0.677^2 = 0.542$.

Compute $m(x_2)$ and $v(x_2)$ by **quadrature** from your `reverse_posterior` (or by the algebra of the last paragraph, if you trust it). `quad_vec(f, a, b)` integrates a function whose values are arrays, and returns the integral and an error estimate. A jump inside an interval can spoil its accuracy; here it lies at 0: so integrate from $-\infty$ to 0, and from 0 to $\infty$.

Careful with $p(x_2)$: an adaptive rule on $(-\infty, \infty)$ can look past a narrow bump far from 0, and report a mean of 0 with great confidence. The law of total variance, as above, cannot.

<details><summary>Hint 1</summary>

The third thing to return is a *function*. Define it inside: `def conditional(x2): …`. It sees `mu` and `eps`.
</details>
<details><summary>Hint 2</summary>

Two integrals, of $x_1\, p(x_1|x_2)$ and of $x_1^2\, p(x_1|x_2)$, each in two pieces. A small function `moment(k)` saves writing it twice. The variance is the second moment minus the square of the mean.
</details>
"""


# %% exercise="best_reverse_gaussian"
def best_reverse_gaussian(mu, eps):
    """(mean2, var2, conditional): the Gaussian model q(x2) q(x1 | x2) of greatest likelihood.

    q(x2) is N(mean2, var2). conditional(x2) returns (mean, variance) of the Gaussian q(x1 | x2), each in the shape of x2:
    what an ideal network with the input x2 would put out.
    """
    ### BEGIN SOLUTION
    mean2 = (mu[0] + mu[1]) / 2
    var2 = eps + (mu[1] - mu[0]) ** 2 / 4  # within a bump, and between the bumps

    def conditional(x2):
        def moment(k):
            def integrand(x1):
                return x1**k * reverse_posterior(x1, x2, mu, eps)

            return quad_vec(integrand, -np.inf, 0)[0] + quad_vec(integrand, 0, np.inf)[0]

        mean = moment(1)
        return mean, moment(2) - mean**2

    return mean2, var2, conditional
    ### END SOLUTION


# %% check="best_reverse_gaussian" points=4
check(best_reverse_gaussian)

# %% [markdown]
r"""
This is what the best reverse Gaussian makes of the three shapes:
"""

# %% tags=["demo"]
static.show("reverse-conditional")

# %% [markdown]
r"""
It is the best, and it is still wrong: it puts mass on the forbidden side, and its peak is where the truth has none.

**Nothing in this depends on the size of the network.** $m(x_2)$ and $v(x_2)$ are already perfect. What is missing is a third number at the output.

## Exercise 4: the gap, in nats

`gap` · difficulty ●●○ · 10 minutes · 2 points

How much is lost? The KL from the truth to this best model, for the whole pair:

$$\mathrm{gap} = \mathrm{KL}(p\,\|\,q) = \underbrace{-E_p[\log q(x_2)] - E_p[\log q(x_1 \mid x_2)]}_{\text{average NLL of the model}} \;-\; \underbrace{H(X_1, X_2)}_{\text{entropy of the world}}.$$

A Gaussian with the right moments has $E\big[\frac{(x - m)^2}{2v}\big] = \frac12$, so its average NLL is $\frac12\log(2\pi e\, v)$, whatever the truth looks like. The entropy of the world is easiest along the *other* arrow, where all is Gaussian: $\frac12\log(2\pi e \cdot 1) + \frac12\log(2\pi e\,\varepsilon)$. Nearly everything cancels:

$$\boxed{\;\mathrm{gap} = \tfrac12 \log\frac{\mathrm{Var}[X_2]}{\varepsilon} \;+\; \tfrac12\, E_{x_2 \sim p}\Big[\log \mathrm{Var}[X_1 \mid x_2]\Big]\;}$$

*By hand*, `mu = (0, 1)`, $\varepsilon = 0.04$: the first term is $\frac12 \ln\frac{0.29}{0.04} = 0.9905$. If the bumps did not overlap at all, $x_1$ would always be half a bell with the variance $1 - \frac2\pi = 0.36338$, and the second term $\frac12\ln 0.36338 = -0.5062$. They overlap a little, so the gap is a little more than $0.9905 - 0.5062 = 0.4843$: it is **0.4964 nats**.

The average over $x_2$ is an integral, $\int p(x_2) \log v(x_2)\, dx_2$: on an even grid over both bumps, the sum of `p * log v` times the spacing.

<details><summary>Hint 1</summary>

Where should the grid lie for *any* `mu` and `eps`? From $\min(\mu) - 8\sqrt\varepsilon$ to $\max(\mu) + 8\sqrt\varepsilon$ misses nothing; 400 points are plenty while the two means are not hundreds of $\sqrt\varepsilon$ apart.
</details>
<details><summary>Hint 2</summary>

`conditional(grid)` gives the variances for the whole grid at once. Take the logarithm *before* you average: which density is the weight?
</details>
"""

# %% tags=["demo"]
predict(
    "The two bumps move apart, further and further. What becomes of the gap?",
    [
        "it levels off near half a nat",
        "it grows for ever, more and more slowly",
        "it grows in proportion",
    ],
    answer=lambda: (
        int((far := [gap((0, d), 1.0) for d in (10, 20, 40)])[2] > far[1] + 0.5)
        + int(far[2] - far[1] > 1.5 * (far[1] - far[0]))
    ),
    why=lambda: (
        f"Twice as far costs {gap((0, 40), 1.0) - gap((0, 20), 1.0):.2f} nats more each time: "
        "ln 2, from the logarithm in the first term. As the bumps merge, the gap goes to 0."
    ),
)


# %% exercise="gap"
def gap(mu, eps):
    """KL from the truth to the best Gaussian model of the arrow x2 → x1, in nats: a number ≥ 0."""
    ### BEGIN SOLUTION
    _, var2, conditional = best_reverse_gaussian(mu, eps)
    reach = 8 * np.sqrt(eps)
    x2 = np.linspace(min(mu) - reach, max(mu) + reach, 400)
    _, variance = conditional(x2)
    average = (marginal_x2(x2, mu, eps) * np.log(variance)).sum() * (x2[1] - x2[0])
    return 0.5 * np.log(var2 / eps) + 0.5 * average
    ### END SOLUTION


# %% check="gap" points=2
check(gap)

# %% [markdown]
r"""
### Turn the arrow on your own functions

The explorer from the top now calls **your** four functions.

 1. Turn the arrow. The world on the left is drawn from the *factors* of the arrow: $p(x_1)\,p(x_2|x_1)$, or your $p(x_2)\,p(x_1|x_2)$. If it changes, one of your factors is wrong.
 2. With the arrow x2 → x1, walk through $x_2$. Where is the loss of $q(x_1|x_2)$ greatest, where is it 0, and how often does the world visit those places?
 3. Let $\varepsilon$ grow. When can the reversed family follow again?
"""

# %% tags=["demo"]
ArrowExplorer.of(marginal_x2, reverse_posterior, best_reverse_gaussian, gap)

# %% [markdown]
r"""
## Is that so?

> "Thinking the ordering changes the joint? It does not." · "Different factorization orders can represent different hypothesis spaces."

The cell computes both.
"""

# %% tags=["demo"]
predict(
    "Which of the two sentences is wrong?",
    ["the first", "the second", "neither"],
    answer=2,
    why="One is about a joint, the other about a family of models.",
)

# %% tags=["demo"]
with solved("marginal_x2", "reverse_posterior", "best_reverse_gaussian", "gap"):
    mu, eps = (0.0, 1.0), 0.04
    x1, x2 = np.meshgrid(np.linspace(-3, 3, 121), np.linspace(-1, 2, 121))
    one_way = norm.pdf(x1) * norm.pdf(x2, np.where(x1 > 0, mu[1], mu[0]), np.sqrt(eps))
    other_way = marginal_x2(x2, mu, eps) * reverse_posterior(x1, x2, mu, eps)
    print(
        f"the joint: largest difference of the two factorizations   {np.abs(one_way - other_way).max():.1e}"
    )
    print(
        "Gaussian factors, x1 → x2: the gap is                     0 (the world is in the family)"
    )
    print(f"Gaussian factors, x2 → x1: the gap is                     {gap(mu, eps):.4f} nats")

# %% [markdown]
r"""
Neither. The first is about the **identity**: $p(x_1)\,p(x_2|x_1) = p(x_2)\,p(x_1|x_2)$, to the last digit. The second is about a **family**: the set of all $q$ that can be written with Gaussian factors along an arrow. Turn the arrow, and you have another set. Our world is in one of them, and half a nat outside the other.

A family of *unrestricted* factors does not care: a full table per factor, or a density of any shape, gives the same set for each order. The order begins to matter when the factors cannot be just anything.

> "The trouble is that $p(x_2)$ is a mixture of two Gaussians, which a single Gaussian cannot represent."

Is that all of the trouble? The gap has two parts, one for each factor.
"""

# %% tags=["demo"]
predict(
    "The bumps lie only one standard deviation apart. Where is more lost?",
    ["in q(x2)", "in q(x1 | x2)", "equally much in both"],
    answer=1,
    why="Two bumps so close make a marginal that looks quite Gaussian. The step in p(x1 | x2) is there at once.",
)

# %% tags=["demo"]
with solved("marginal_x2", "best_reverse_gaussian", "gap"):
    apart = np.linspace(0.25, 8, 32)  # Δ, in units of √ε
    whole = np.array([gap((0, d), 1.0) for d in apart])
    x2 = np.linspace(-8, 16, 2401)
    cross = np.array(
        [0.5 * np.log(2 * np.pi * np.e * best_reverse_gaussian((0, d), 1.0)[1]) for d in apart]
    )
    minus_entropy = np.array(
        [rel_entr(marginal_x2(x2, (0, d), 1.0), np.ones(2401)).sum() for d in apart]
    )  # Σ p log p
    first = cross + minus_entropy * (x2[1] - x2[0])
    fig, ax = plt.subplots(figsize=(7, 3.2), constrained_layout=True)
    ax.plot(apart, whole, color="#000000", label="the gap")
    ax.plot(apart, first, "o-", markersize=3, color="#0072B2", label="lost in q(x2)")
    ax.plot(apart, whole - first, "s-", markersize=3, color="#D55E00", label="lost in q(x1 | x2)")
    ax.set(xlabel="distance of the bumps, in standard deviations", ylabel="nats")
    ax.legend()
    show(
        fig,
        "The gap against the distance of the bumps: 0 at distance 0, about 0.5 nats at 5, and still rising at 8. Up to "
        "a distance of 2 nearly all of it is lost in q(x1 given x2), which levels off near 0.19; the loss in q(x2) begins "
        "later, is equal at a distance of 4, and goes on rising.",
    )
    at = 3  # a distance of one standard deviation
    print(
        f"Δ = {apart[at]:.0f}√ε: gap {whole[at]:.4f}, of which q(x2) {first[at]:.4f}, q(x1|x2) {whole[at] - first[at]:.4f}"
    )

# %% [markdown]
r"""
It is one part of the trouble. Two bumps one standard deviation apart make a marginal that looks quite Gaussian; the *step* in $p(x_1 \mid x_2)$ is there at once. Far apart, the loss of $q(x_1|x_2)$ is that of half a bell, and levels off at $\ln 2 + \tfrac12\ln(1 - \tfrac2\pi) = 0.187$ nats; the loss of $q(x_2)$ grows for ever, like $\log\Delta$.

> "To see that order matters, take $X_2 = X_1 + $ Gaussian noise."

Here $\mathrm{Var}[X_2] = 1 + \varepsilon$, and $\mathrm{Var}[X_1 \mid x_2] = \frac{\varepsilon}{1+\varepsilon}$.

<details><summary>Put into the boxed formula</summary>

$\frac12\log\frac{1+\varepsilon}{\varepsilon} + \frac12\log\frac{\varepsilon}{1+\varepsilon} = 0$. A *joint* Gaussian has Gaussian conditionals in every order: linear examples with constant variance separate nothing. It takes something that a Gaussian output cannot say, like our step.
</details>

## What a network may put out

The gap is a matter of the **output distribution**. A network computes a few numbers for each variable; what do they mean? (Lesson 7 writes the likelihoods of the last five rows.)

| data | output distribution | numbers for one variable | $-\log q$ | watch out for |
|---|---|---|---|---|
| discrete: letters, tokens, classes | categorical | $K$ logits (one for a bit) | cross-entropy | any shape; knows nothing of "near" values |
| 8-bit: pixels, sound | categorical | 256 logits | cross-entropy | any shape, many numbers (PixelRNN, WaveNet) |
| 8-bit: pixels, sound | discretized mixture | $3K$: weights, means, widths | log of a difference of CDFs | few numbers, near values share (PixelCNN++) |
| continuous | Gaussian | 2: mean, log variance | $\frac12\log 2\pi v + \frac{(x-m)^2}{2v}$ | one bump, symmetric |
| continuous | mixture of Gaussians | $3K$: weights, means, log variances | minus a logsumexp | bumps and skew; a variance may run to 0 |
| continuous | histogram | $B$ logits, one for each bin | $-\log\frac{q_b}{\text{width}}$ | any shape inside the range, nothing outside, no finer than a bin |

For discrete data $-\log q$ is at least 0. For continuous data $q$ is a **density**: its NLL may be negative, and changes with the unit. Compare only the same data in the same units and the same discretization.
"""

# %% tags=["demo"]
predict(
    "X2 = X1 + Gaussian noise of variance ε: how large is the gap?",
    ["0", "half a nat", "the larger, the smaller ε is"],
    answer=0,
    why="The two terms of the boxed formula cancel: a joint Gaussian has Gaussian conditionals in every order.",
)

# %% [markdown]
r"""
## Exercise 5: how many Gaussians close the gap?

`mixture_reverse` · difficulty ●●● · 15 minutes · 3 points

Give the reverse model a richer output: **each** of its two factors may be a mixture of $K$ Gaussians, $q(x) = \sum_k \pi_k N(x; m_k, v_k)$, and for $q(x_1|x_2)$ all $3K$ numbers may depend on $x_2$. How much is still lost?

$$\mathrm{loss}_K = \mathrm{KL}\big(p(x_2)\,\|\,q_K(x_2)\big) + \int p(x_2)\; \mathrm{KL}\big(p(x_1|x_2)\,\|\,q_K(x_1|x_2)\big)\, dx_2 .$$

Two tools are given. `grids` makes even grids for $x_1$ and $x_2$. `fit_mixture(p, grid, K)` finds a mixture of $K$ Gaussians for a density on a grid, by *expectation maximization*: share each point out among the bumps in proportion to their heights, refit each bump to its share by moments, repeat.

*By hand*, on a grid: heights $p = (1, 3)$ and $q = (2, 2)$ with spacing ¼ are densities ($\sum p \cdot \tfrac14 = 1$). $\mathrm{KL}(p\|q) = \tfrac14\,(1 \ln\tfrac12 + 3 \ln\tfrac32) = \tfrac14\,(-0.6931 + 1.2164) = 0.1308$ nats.
"""


# %%
def grids(mu, eps):
    """Even grids (240,) for x1 and (80,) for x2, wide enough for both bumps. No point of x1 lies on the jump at 0."""
    reach = 7 * np.sqrt(eps)
    return (np.arange(240) + 0.5) / 20 - 6, np.linspace(min(mu) - reach, max(mu) + reach, 80)


def fit_mixture(p, grid, components, steps=120):
    """Heights of a mixture of `components` Gaussians with a (locally) least KL(p‖q), in the shape of p, (…, m).

    p: heights of one density on `grid`, or of many, one in each row. All rows are fitted by themselves. No bump
    gets narrower than the sum over the grid can see.
    """
    mass = p / p.sum(-1, keepdims=True)
    piece = np.minimum((mass.cumsum(-1) * components - 1e-9).astype(int), components - 1)
    share = (piece[..., None, :] == np.arange(components)[:, None]).astype(
        float
    )  # (…, K, m): pieces of equal mass
    for _ in range(steps):
        shared = share * mass[..., None, :]
        weight = shared.sum(-1) + 1e-300  # (…, K)
        mean = shared @ grid / weight
        var = np.maximum(shared @ grid**2 / weight - mean**2, (grid[1] - grid[0]) ** 2 / 2)
        far = (grid - mean[..., None]) ** 2 / var[..., None]
        bumps = (weight / np.sqrt(2 * np.pi * var))[..., None] * np.exp(-far / 2)  # (…, K, m)
        q = np.maximum(bumps.sum(-2), 1e-300)
        share = bumps / q[..., None, :]
    return q


# %% [markdown]
r"""
<details><summary>Hint 1</summary>

`rel_entr(p, q)` from `scipy.special` is $p\log(p/q)$, entry by entry, and 0 where $p = 0$. Summed over a grid and times the spacing it is a KL. Whose spacing belongs to which sum?
</details>
<details><summary>Hint 2</summary>

`reverse_posterior(x1, x2[:, None], mu, eps)` has shape (80, 240): a row for each $x_2$. Each row gives one KL; average these 80 numbers with the weights $p(x_2)\,\Delta x_2$.
</details>
"""

# %% tags=["demo"]
predict(
    "p(x2) is a mixture of two Gaussians. At which K is the loss of both factors together 0?",
    ["K = 2", "K = 4", "at no K"],
    answer=2,
    why="Two components are p(x2) exactly. But p(x1 | x2) has a jump, and no sum of smooth bumps has one.",
)


# %% exercise="mixture_reverse"
def mixture_reverse(components, mu=(0.0, 1.0), eps=0.04):
    """Nats that the arrow x2 → x1 still loses if q(x2) and q(x1 | x2) are mixtures of `components` Gaussians."""
    ### BEGIN SOLUTION
    x1, x2 = grids(mu, eps)
    step1, step2 = x1[1] - x1[0], x2[1] - x2[0]
    p2 = marginal_x2(x2, mu, eps)  # (80,)
    p1 = reverse_posterior(x1, x2[:, None], mu, eps)  # (80, 240)
    lost2 = rel_entr(p2, fit_mixture(p2, x2, components)).sum() * step2
    lost1 = rel_entr(p1, fit_mixture(p1, x1, components)).sum(1) * step1  # (80,)
    return lost2 + (p2 * lost1).sum() * step2
    ### END SOLUTION


# %% check="mixture_reverse" points=3
check(mixture_reverse)

# %% [markdown]
r"""
Now the whole table of outputs on one problem: Gaussians, mixtures, histograms, each for *both* reverse factors. The histogram gets the true mass of every bin.
"""

# %% tags=["demo"]
predict(
    "A mixture of 5 has 15 numbers. Will a histogram of 16 bins do as well?",
    ["it loses less", "it loses as much", "it loses more"],
    answer=2,
    why="The cell below draws both.",
)


# %% tags=["demo"]
def histogram_reverse(bins, mu=(0.0, 1.0), eps=0.04):
    """Nats lost if both reverse factors are histograms of `bins` equal bins (a divisor of 80)."""
    x1, x2 = grids(mu, eps)

    def flat(p):  # heights within a bin, replaced by their mean
        return np.repeat(p.reshape(*p.shape[:-1], bins, -1).mean(-1), p.shape[-1] // bins, axis=-1)

    p2, p1 = marginal_x2(x2, mu, eps), reverse_posterior(x1, x2[:, None], mu, eps)
    lost1 = rel_entr(p1, flat(p1)).sum(1) * (x1[1] - x1[0])
    return (rel_entr(p2, flat(p2)).sum() + (p2 * lost1).sum()) * (x2[1] - x2[0])


# %% tags=["demo"]
with solved("mixture_reverse"):
    losses = {3 * k: mixture_reverse(k) for k in (1, 2, 3, 4, 5, 8)}
    bins = {b: histogram_reverse(b) for b in (4, 5, 8, 16, 20, 40, 80)}
    fig, ax = plt.subplots(figsize=(7, 3.2), constrained_layout=True)
    ax.plot(
        losses.keys(),
        losses.values(),
        "o-",
        color="#0072B2",
        label="mixture of Gaussians, 3 numbers each",
    )
    ax.plot(
        bins.keys(), bins.values(), "s--", color="#D55E00", label="histogram, a number for each bin"
    )
    ax.set(
        xlabel="numbers that the network puts out for a variable", ylabel="nats lost", yscale="log"
    )
    ax.legend()
    show(
        fig,
        "Nats lost against output numbers, on a logarithmic scale. Mixtures fall from 0.5 with one Gaussian to 0.08 with "
        "two and below 0.01 with eight. Histograms lose 0.3 with 8 bins, 0.07 with 16, and 0.01 with 40.",
    )
    print("K Gaussians:", "   ".join(f"{n // 3}: {v:.4f}" for n, v in losses.items()))
    print("B bins:     ", "   ".join(f"{b}: {v:.4f}" for b, v in bins.items()))

# %% [markdown]
r"""
**How many components close the gap?** Two close it in $q(x_2)$, exactly. In $q(x_1|x_2)$ *no* number does: a finite sum of smooth bumps has no jump. But two components win back five sixths of the half nat, and eight leave some thousandths. "Cannot represent" is a yes-or-no; the nats tell you whether to care.

A trap: `fit_mixture` forbids bumps narrower than the grid. Allow them (a least variance of $\Delta^2/12$ where it has $\Delta^2/2$), and 50 of them stand *on* the points: the sum then says $-0.558$ nats. A KL below 0 is never a success; here the sum is no longer the integral.

16 bins lose more than a mixture with 15 numbers. A jump costs bins nothing where an edge lies on it, as with all the even numbers here; with 5 bins it lies inside one, and they lose more than 4. With enough bins hardly anything is lost.

The arrow is the same and nearly harmless: the *family* has grown. A softmax over 256 levels can have any shape, so for each single variable nothing is lost in the output. What remains restricted is how the 256 logits depend on the past.
"""

# %% [markdown]
r"""
## Bits can do it too

A bit has no shape to get wrong: $p(x_d \mid \text{past})$ is one number. Yet families of bits also depend on the order, through *how* that number depends on the past. Take logistic regressions in a row (lesson 3): the log-odds of each bit are **linear** in the bits before it.

**The world:** $n - 1$ fair switches, and a bell that rings with probability $\sigma(6\,(s - \tfrac12))$ if $s$ of them are on: rarely for 0, nearly surely for 1 or more. In the order *switches, then bell* this world is in the family. And with the bell first? Once you hear it, switch 1 being on explains the ringing, and switch 2 need not be.
"""

# %% tags=["demo"]
predict(
    "With the bell first: is this world still in the family?",
    [
        "yes, with any number of switches",
        "with two switches, not with three",
        "no, not even with two",
    ],
    answer=1,
    why="The cells below try every order.",
)


# %% tags=["demo"]
def logistic_gap(p, order):
    """KL in nats from a table p (2, …, 2) to the best logistic regressions in this order, by enumeration."""
    bits = np.array(list(itertools.product((0.0, 1.0), repeat=p.ndim)))
    weight, loss = p.ravel(), rel_entr(p, np.ones_like(p)).sum()  # Σ p log p, minus the entropy
    for turn, i in enumerate(order):
        past = np.column_stack([np.ones(len(bits)), bits[:, order[:turn]]])
        sign = 2 * bits[:, i] - 1

        def nll(v, past=past, sign=sign):
            t = sign * (past @ v)
            return weight @ np.logaddexp(0, -t), -(weight * sign * expit(-t)) @ past

        loss += minimize(nll, np.zeros(turn + 1), jac=True, options={"gtol": 1e-9}).fun
    return loss


# %% tags=["demo"]
for n in (3, 4):
    switches = np.array(list(itertools.product((0, 1), repeat=n - 1)))
    rings = expit(6 * (switches.sum(1) - 0.5))
    world = (np.stack([1 - rings, rings], axis=1) / 2 ** (n - 1)).reshape((2,) * n)
    gaps = {order: logistic_gap(world, list(order)) for order in itertools.permutations(range(n))}
    bell = {
        t: np.mean([g for order, g in gaps.items() if order.index(n - 1) == t]) for t in range(n)
    }
    print(
        f"{n - 1} switches:",
        "  ".join(f"bell at place {t + 1}: {abs(g):.4f}" for t, g in bell.items()),
        "nats",
    )

# %% [markdown]
r"""
With two switches all six orders hold the world, with three they do not. That is no accident of this world. The logarithm of a table of bits is a sum of terms: one for each bit, one for each pair, one for each three, … A term that needs three bits at once is a **three-way interaction**. The log-odds of one of three bits are linear in the other two exactly if no such term is there, whichever of the bits comes last: so for three bits the family is the *same set* in each order.

From four bits on, the orders part. The bell $b$ contributes $6b(s - \tfrac12) - \log(1 + e^{6(s - 1/2)})$. The second term makes its two probabilities sum to 1 (it is called a **normalizer**); it knows all three switches at once, and it is no sum of pairs. Where the bell comes last, it stays inside the bell's own factor; elsewhere the log-odds of a switch would have to follow it, and a line cannot.

The loss is real, 0.029 nats, and small. How large is it on real data?
"""

# %% [markdown]
r"""
## Digits in four orders

8×8 digits, 64 bits each; 1,297 to train, 200 to validate, 300 to test. Whatever we try, the validation images judge; the test images are asked once, at the end. The orders: **raster** (row by row), **reversed** (the same, backwards), **column** (column by column), **random** (another shuffle for each seed).

Two families: logistic regressions alone, and MADE with 200 hidden units beside them (lesson 5). One class does both; you need not study it now.
"""


# %% tags=["demo"]
class Ordered(nn.Module):
    """64 bits in an order, told by the place of each: linear log-odds, and a masked hidden layer added."""

    def __init__(self, place, hidden=0, bias=None, seed=0):
        super().__init__()
        n, generator = len(place), torch.Generator().manual_seed(seed)
        degree = torch.randint(1, n, (hidden,), generator=generator)
        self.register_buffer("before", (place[:, None] > place[None, :]).float())
        self.register_buffer("mask_in", (degree[:, None] >= place[None, :]).float())
        self.register_buffer("mask_out", (place[:, None] > degree[None, :]).float())
        self.bias = nn.Parameter(torch.zeros(n) if bias is None else bias.clone())
        self.direct = nn.Parameter(torch.zeros(n, n))
        self.W = nn.Parameter(torch.randn(hidden, n, generator=generator) / n**0.5)
        self.c = nn.Parameter(torch.zeros(hidden))
        self.V = nn.Parameter(torch.zeros(n, hidden))

    def forward(self, x):
        h = F.relu(F.linear(x, self.W * self.mask_in, self.c))  # (B, hidden)
        return F.linear(x, self.direct * self.before, self.bias) + F.linear(
            h, self.V * self.mask_out
        )

    def nll(self, x):
        return F.binary_cross_entropy_with_logits(self(x), x, reduction="none").sum(1)


# %% tags=["demo", "unfolded"]
digits = data.digits()
pixel = torch.arange(64)  # row · 8 + column


def place_of(name, seed=0):
    """The place 1 … 64 of each pixel."""
    if name == "random":
        return 1 + torch.randperm(64, generator=torch.Generator().manual_seed(100 + seed))
    return {"raster": pixel + 1, "reversed": 64 - pixel, "column": pixel % 8 * 8 + pixel // 8 + 1}[
        name
    ]


# %% tags=["demo"]
def compare(hidden, seeds, bias=None):
    """Trains a model for each order and seed; {order: [(model, history), …]}."""
    runs = {name: [] for name in ("raster", "reversed", "column", "random")}
    for name, seed in tqdm(list(itertools.product(runs, seeds)), desc=f"{hidden} hidden units"):
        model = Ordered(place_of(name, seed), hidden, bias, seed)
        history = fit(
            model,
            digits.train,
            digits.valid,
            epochs=40,
            batch_size=100,
            lr=1e-2 if hidden else 2e-2,
            seed=seed,
            progress=False,
        )
        runs[name].append((model, history))
    return runs


# %% tags=["demo"]
@torch.no_grad()
def report(runs, images):
    """Prints nats an image, and the difference to raster, image by image, with its standard error."""
    each = {
        name: torch.stack([model.nll(images) for model, _ in pairs]) for name, pairs in runs.items()
    }
    for name, nats in each.items():
        mean, difference = nats.mean(0), (nats - each["raster"]).mean(0)  # over seeds, (B,)
        error = [v.std().item() / len(v) ** 0.5 for v in (mean, difference)]
        print(
            f"  {name:9} {mean.mean():5.2f} ± {error[0]:.2f}   minus raster {difference.mean():+5.2f} ± {error[1]:.2f}"
            f"   by seed {', '.join(f'{v:.2f}' for v in nats.mean(1))}"
        )


# %% [markdown]
r"""
The standard error of one NLL is about 0.3 nats: images differ. But all orders are judged by the *same* 200 images, so the **difference** image by image is known much better: read that. (These images have also chosen the best epoch of each network.)
"""

# %% tags=["demo"]
predict(
    "Four orders, the same MADE with the same budget: which has the worst validation NLL?",
    ["raster", "reversed", "column", "random", "none stands out"],
    answer=2,
    why="Run the next cell for the figures, and keep your explanation for later.",
)

# %% tags=["demo"]
first_try = compare(hidden=200, seeds=[0])
print("MADE, biases started at 0: validation nats an image, ± standard error over images")
report(first_try, digits.valid)

# %% [markdown]
r"""
A clear difference, at many standard errors! Columns must be the worse hypothesis space.

**Is that so?** The standard error says that the difference would be found again on other *images*, and not *why*. Before you believe in a story about strokes and columns, look where it was lost.
"""

# %% tags=["demo"]
with torch.no_grad():
    lost = {}
    for name in ("raster", "column"):
        model = first_try[name][0][0]
        logits, x = model(digits.valid), digits.valid
        lost[name] = F.binary_cross_entropy_with_logits(logits, x, reduction="none").mean(0)
    where = (lost["column"] - lost["raster"]).reshape(8, 8).numpy()
fig, (left, right) = plt.subplots(
    1, 2, figsize=(8, 3), constrained_layout=True, width_ratios=(1, 1.6)
)
drawn = left.imshow(where, cmap="PuOr", vmin=-0.15, vmax=0.15)
left.set(title="nats lost: column − raster", xticks=[], yticks=[])
fig.colorbar(drawn, ax=left)
for name, look in (("raster", "#0072B2"), ("column", "#D55E00")):
    right.plot(
        first_try[name][0][1].valid,
        color=look,
        linestyle="-" if name == "raster" else "--",
        label=name,
    )
right.set(xlabel="epoch", ylabel="validation nats", ylim=(16, 26))
right.legend()
show(
    fig,
    "Left: the 8 by 8 map of what column order loses against raster: the pixels at the left edge lose "
    f"{where[1:, 0].mean():.2f} nats each, the corner aside; elsewhere gains and losses cancel. Right: "
    "validation curves; that of the column order lies above.",
)
blank = digits.train.reshape(-1, 8, 8)[:, :, 0].sum().item()
print(
    f"lost in the leftmost column {where[:, 0].sum():.2f} nats, elsewhere {where[:, 1:].sum():.2f}"
)
print(
    f"inked pixels in the leftmost column of all {len(digits.train):,} training images: {blank:.0f}"
)
later = (place_of("column") - place_of("raster")).reshape(8, 8)[:, 1:].flatten().numpy()
print(
    "correlation of the nats lost with how much later a pixel comes, leftmost column aside: "
    f"{np.corrcoef(later, where[:, 1:].flatten())[0, 1]:.2f}"
)

# %% [markdown]
r"""
Two things are in this map.

Away from the left edge, gains and losses **cancel**. (The later a pixel comes in the column order than in raster, the more it saves: that is the correlation in the last line.)

At the left edge the pixels are *white*, practically always. Nothing is easier to predict, in any order, once the bias has become very negative. But every bias started at 0, which says "ink, with probability ½", and moves in small steps. So here is a **suspicion**: not the family was worse, but the *start*. A suspicion needs a control: the same networks, the same data, the same budget, and another start.

## Exercise 6: a start for every bias

`initial_bias` · difficulty ●○○ · 6 minutes · 2 points

Before a pixel has learned to look at others, its logit is its bias $b$. If it is inked in a share $f$ of the images, it costs $\log(1 + e^b) - f\,b$ nats on average. The slope is $\sigma(b) - f$, so the best start is where $\sigma(b) = f$:

$$b = \log\frac{f}{1 - f}.$$

A pixel that is never inked would start at $-\infty$, and never recover from a single inked one. So pretend to have seen one image more, half white and half inked, and of $N$ images in which the pixel is inked $c$ times take

$$f = \frac{c + \frac12}{N + 1}.$$

*By hand.* Three images of two pixels: 01, 01, 00. The first pixel is inked in none of them: $f = \frac{0.5}{4}$ and $b = \ln\frac{0.125}{0.875} = -1.9459$. The second in two: $f = \frac{2.5}{4}$ and $b = \ln\frac{0.625}{0.375} = 0.5108$.

<details><summary>Hint 1</summary>

One number for each pixel: over which axis does the count run?
</details>
<details><summary>Hint 2</summary>

Two steps: the frequencies with the half images added, then $\log f - \log(1 - f)$, entry by entry. Should the denominator still be $N$?
</details>
"""


# %% exercise="initial_bias"
def initial_bias(images):
    """The log-odds of each pixel's frequency, with half a white and half an inked image added: (n,).

    images: a float tensor of bits (N, n). Finite also for a pixel that is never inked, or always.
    """
    ### BEGIN SOLUTION
    frequency = (images.sum(0) + 0.5) / (len(images) + 1)  # (n,)
    return torch.logit(frequency)
    ### END SOLUTION


# %% check="initial_bias" points=2
check(initial_bias)

# %% [markdown]
r"""
Now the control: first the same seed and the same images with nothing but another start, then three seeds and both families. Nothing is chosen after this, so this is the moment for the test images.
"""

# %% tags=["demo"]
predict(
    "Every bias starts at the log-odds of its pixel. What is left of the columns' disadvantage?",
    ["all of it", "about half", "nothing"],
    answer=2,
    why="Run the next cell, and look at the same seed on the same images first.",
)

# %% tags=["demo"]
with solved("initial_bias"):
    bias = initial_bias(digits.train)
    made = compare(hidden=200, seeds=[0, 1, 2], bias=bias)
    logistic = compare(hidden=0, seeds=[0, 1, 2], bias=bias)
    print("MADE as before, seed 0 on the validation images, but for the start of its biases")
    report({name: runs[:1] for name, runs in made.items()}, digits.valid)
    print("\nthe test images, three seeds")
    alone = bias.expand_as(digits.test)
    coins = F.binary_cross_entropy_with_logits(alone, digits.test, reduction="none").sum(1)
    print(f"independent pixels {coins.mean():.2f}\nlogistic regressions in a row")
    report(logistic, digits.test)
    print("MADE, 200 hidden units")
    report(made, digits.test)

# %% [markdown]
r"""
Read it honestly:

 - **It is gone**, and in the first block nothing but the start has changed. What looked like a law about columns was a start at 0: the **optimizer**, not the hypothesis space.
 - **What is left is small**: on the test images, over three seeds, no order differs from raster by more than about 0.1 nats, less than 1 % of the NLL. The logistic column order is even *ahead* of raster, by three standard errors; MADE's column order is not. With six comparisons on one data set, do not build a theory on that.
 - Even a **random** order does as well. (For a family that *assumes* neighbors, like lesson 9's, this says nothing.)
 - The step from logistic regressions to MADE is about a nat, in every order. **The family mattered more than the order.**

So: the identity is order-free. The family is not, and its gap may be half a nat for two numbers, or a tenth of a nat for 64 pixels. Nor is the *training*, which is easily mistaken for the family.

**The number to beat:** MADE in raster order. Find an order that beats it on the *validation* images by more than two standard errors of the paired difference, with all three seeds; then, and only then, ask the test images, once.
"""

# %% [markdown]
r"""
## A question to answer in words

 1. "The ordering does not change the joint", and "different orders represent different hypothesis spaces". Explain in your own words why both are true, and name a family for which the order does *not* change the hypothesis space.
 2. A colleague trains one network in raster and in column order, with the same budget. On the test images column is worse by 0.30 ± 0.05 nats (paired). "So columns cannot represent the digits as well." Give two other explanations, and one experiment that would tell one of them from your colleague's.
 3. The reverse model of our step world gets a mixture of 50 Gaussians at each output, and the loss is next to nothing. Name one cost that the arrow x2 → x1 still has, compared with x1 → x2.

A few sentences for each.
"""

# %% [markdown] question="order_and_family" points=2
r"""
### BEGIN SOLUTION
1. The first is about one given distribution: the product of its true conditionals is the same joint in every order (an identity). The second is about a set of models: all products of *restricted* factors (Gaussian, logistic) along an order. Another order restricts other conditionals, so the sets differ. No difference for unrestricted factors, jointly Gaussian models (linear means, constant variances), independent factors, logistic regressions on up to three bits.
2. Optimization (start of the biases, learning rate, too few epochs); estimation (more overfitting in this order; an unlucky seed or unlucky masks, since the standard error is over images only). Experiments: the *training* NLL after longer training or from a better start (a difference that shrinks was the optimizer); more seeds; training against test NLL; the loss pixel by pixel; the exact optimum where the problem is convex.
3. $3 \cdot 50$ numbers in place of 2, which must change quickly with $x_2$ near the middle: more parameters, data and computation, and variances that may collapse. (Also right: sampling draws a component first; the jump is only approximated.)

Rubric, ½ point each: one joint's identity against a set of restricted models; a right family without order dependence; two of optimization, estimation, seeds, with an experiment that tells them apart; a cost (outputs, a harder function, data, approximation of the jump).
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

The chain rule is true in every order; a family of models is a choice of how its factors may look, and each order makes another family of it. In our step world the Gaussian family contains the truth along one arrow and misses it by half a nat along the other, however large the network; a richer output (mixture, histogram, softmax) wins nearly all of it back.
Before you blame an order for a worse NLL, rule out the optimizer and the sample: look at the training loss, at paired differences, and at *where* the nats were lost.

## Go further

 - G. Papamakarios, T. Pavlakou, I. Murray (2017). *Masked Autoregressive Flow for Density Estimation.* NeurIPS. Figure 1: two variables that a Gaussian MADE follows in one order only.
 - C. M. Bishop (1994). *Mixture Density Networks.* Technical report NCRG/94/004, Aston University. Networks with mixtures at the output, and an inverse problem.
 - T. Salimans, A. Karpathy, X. Chen, D. P. Kingma (2017). *PixelCNN++.* ICLR. The discretized mixture for 8-bit pixels. A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu (2016). *Pixel Recurrent Neural Networks.* ICML. The 256-way softmax.
 - B. Uria, I. Murray, H. Larochelle (2014). *A Deep and Tractable Density Estimator.* ICML. One network for all orders.
 - O. Vinyals, S. Bengio, M. Kudlur (2016). *Order Matters: Sequence to Sequence for Sets.* ICLR. Orders that are learned.
 - P. O. Hoyer et al. (2008). *Nonlinear Causal Discovery with Additive Noise Models.* NeurIPS. "Which arrow fits with simple noise?", used to guess cause and effect.
 - A. P. Dempster, N. M. Laird, D. B. Rubin (1977). *Maximum Likelihood from Incomplete Data via the EM Algorithm.* J. Royal Statistical Society B 39. The loop of `fit_mixture`.

**Try:** let $\mu$ be a ramp, $\mu(x_1) = x_1$, in place of a step, and then $\mu(x_1) = x_1^2$. For which of the two does `gap`'s formula still hold, and is the gap 0?

## Recall

Cover the screen above, and answer aloud before you unfold.

<details><summary>Which factor of the reverse model is a mixture of two Gaussians, and what is the other?</summary>

$p(x_2)$ is the mixture. $p(x_1 \mid x_2)$ is a standard bell in two pieces, with a jump at 0: half a bell when $x_2$ lies on a bump.
</details>
<details><summary>Why does the best Gaussian have the moments of the truth?</summary>

Maximum likelihood is forward KL; in $\log q$ only the mean and the mean square of $x$ occur, so only they can be matched, and matching them is optimal (lesson 6).
</details>
<details><summary>What does a paired standard error know that an unpaired one does not, and what do both not know?</summary>

That both models saw the same test images, so that the luck of the images cancels in the difference. Neither knows about other seeds, other training sets, or *why* there is a difference.
</details>
"""
