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
#     name: 06_kl
#     title: "KL: which way round?"
#     question: "A model that cannot be right must choose how to be wrong. What makes it choose one way or the other?"
#     minutes: 80
#     prerequisites: [02_chain_rule]
# ---

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from course.demo import solved
from course.picture import show
from course.progress import tqdm
from figures import static
from figures.kl_explorer import KLExplorer
from figures.predict import predict

# %% [markdown]
r"""
## One hump for two

The gray curve $p$ is the world: two bumps, one holding 40 % of everything, the other 60 %. Your model $q$ is a single Gaussian. It *cannot* be
right.

**Drag it to where you would put it**, or move the two sliders by keys. Two numbers judge your choice. Both are called "the KL divergence between $p$ and
$q$", and both are 0 only where $q = p$. Commit yourself before you drag.
"""

# %% tags=["demo"]
predict(
    "Will one place of q make both numbers as small as they can be?",
    ["Yes: across both bumps", "Yes: on the larger bump", "No: they want q in different places"],
    answer=2,
    why="One is least where q lies across both bumps, with its peak in the valley where almost "
    "nothing ever happens. The other is least where q sits on one bump and knows nothing of the other.",
)

# %% tags=["demo"]
KLExplorer()

# %% [markdown]
r"""
Neither number is a mistake. They answer two questions:

 - **forward**, $\mathrm{KL}(p\|q)$: how surprised is the model by the *world's* samples?
 - **reverse**, $\mathrm{KL}(q\|p)$: how surprised is the world by the *model's* samples?

Every language model, every PixelCNN, every MADE is trained the first way. This lesson says what that means, and computes it.
"""

# %% [markdown]
r"""
## Exercise 1: surprise

### Entropy

`entropy` · difficulty ●○○ · 4 minutes · 1 point

An outcome of probability $p$ carries $-\log p$ of **surprise**: none if it was certain, more the rarer it is. The logarithm makes surprises of independent outcomes *add*. **Entropy** is
the average surprise:

$$H(p) = -\sum_x p(x) \log p(x).$$

With the natural logarithm the unit is the **nat**; the binary logarithm gives **bits**, and 1 bit is $\ln 2 = 0.6931$ nats.

*By hand.* A fair coin: $-\tfrac12\ln\tfrac12 - \tfrac12\ln\tfrac12 = \ln 2 = 0.6931$ nats, or 1 bit. A coin with 0.9 and 0.1: $0.9 \cdot 0.1054 + 0.1 \cdot 2.3026 = 0.3251$ nats.
The rare side surprises more, and comes less often.

A two-headed coin: $1 \cdot 0 + 0 \cdot \infty$. What is the last term? Since $t \ln t \to 0$ as $t \to 0$, it counts as **0**. Floating point does not know that: there `0 * np.log(0)` is NaN.

<details><summary>Hint 1</summary>

Which outcomes contribute at all? `p[p > 0]` keeps only those.
</details>
<details><summary>Hint 2</summary>

Average with the weights $p$: a product entry by entry, then a sum (not `.mean()`, which would give every outcome the same weight).
</details>
"""


# %% exercise="entropy"
def entropy(p):
    """H(p) in nats, a number ≥ 0.

    p: probabilities (K,), which sum to 1; zeros are allowed, and count nothing.
    """
    ### BEGIN SOLUTION
    seen = p[p > 0]
    return -(seen * np.log(seen)).sum()
    ### END SOLUTION


# %% check="entropy" points=1
check(entropy)

# %% [markdown]
r"""
### Cross-entropy

`cross_entropy` · difficulty ●○○ · 5 minutes · 2 points

Now somebody *believes* $q$ while the world does $p$. The outcomes come as often as $p$ says; the surprise felt at each is $-\log q$. On average:

$$H(p, q) = -\sum_x p(x) \log q(x).$$

The two arguments have different jobs. The first one **weights**, the second one stands **in the logarithm**.

*By hand.* The coin is fair, the belief is 0.9 and 0.1: $\tfrac12 \cdot 0.1054 + \tfrac12 \cdot 2.3026 = 1.2040$ nats, where a believer in fairness would feel 0.6931.

At the edges: $p = 0$ costs 0, whatever $q$ says. But $p > 0$ where $q = 0$ costs $+\infty$, and that is no accident to be repaired: a small ε inside the logarithm would hide exactly this.

<details><summary>Hint 1</summary>

Only outcomes with $p > 0$ matter. So take the same subset of both arrays.
</details>
<details><summary>Hint 2</summary>

`np.log(0.0)` is `-inf`, which is what you want here, but it warns. `with np.errstate(divide="ignore"):` keeps it quiet.
</details>
"""


# %% exercise="cross_entropy"
def cross_entropy(p, q):
    """H(p, q) in nats: the average surprise of who believes q while the outcomes follow p.

    p, q: probabilities (K,). An outcome with p = 0 counts nothing; q = 0 < p gives inf.
    """
    ### BEGIN SOLUTION
    seen = p > 0
    with np.errstate(divide="ignore"):
        return -(p[seen] * np.log(q[seen])).sum()
    ### END SOLUTION


# %% check="cross_entropy" points=2
check(cross_entropy)

# %% [markdown]
r"""
### Divergence

`kl` · difficulty ●●○ · 6 minutes · 3 points

Part of that surprise nobody could have avoided: $H(p)$ is there even for a perfect believer. The rest is the price of believing $q$:

$$\mathrm{KL}(p\|q) = H(p, q) - H(p) = \sum_x p(x) \log \frac{p(x)}{q(x)} \;\ge\; 0.$$

*By hand.* The world is a fair coin, the belief 0.9 and 0.1: $1.2040 - 0.6931 = 0.5108$ nats.

Single terms of the sum may be negative (there $q > p$); the whole never is. That is Gibbs' inequality, and it follows from $\ln t \le t - 1$.

<details><summary>Hint 1</summary>

The same subset $p > 0$ as before. One line more than `cross_entropy`, or one line less if you use what you have.
</details>
<details><summary>Hint 2</summary>

Say it aloud: "KL of $p$ from $q$ is weighted by the FIRST argument". Then check your weights.
</details>
"""

# %% tags=["demo"]
predict(
    "Turn it round: the WORLD is 0.9 and 0.1, the belief a fair coin. More than 0.5108 nats, or less?",
    ["more", "the same", "less"],
    answer=lambda: 1 + int(np.sign(0.5108 - (0.9 * math.log(1.8) + 0.1 * math.log(0.2)))),
    why="0.5290 − 0.1609 = 0.3681. Needless care costs less than being sure of heads when every second toss is a tail. KL is no distance.",
)


# %% exercise="kl"
def kl(p, q):
    """KL(p‖q) in nats: what believing q costs, beyond H(p), while the outcomes follow p.

    p, q: probabilities (K,). An outcome with p = 0 counts nothing; q = 0 < p gives inf.
    """
    ### BEGIN SOLUTION
    seen = p > 0
    with np.errstate(divide="ignore"):
        return (p[seen] * (np.log(p[seen]) - np.log(q[seen]))).sum()
    ### END SOLUTION


# %% check="kl" points=3
check(kl)

# %% [markdown]
r"""
All of it, on the two coins. Each row should be one you can predict.
"""

# %% tags=["demo"]
with solved("entropy", "cross_entropy", "kl"):
    coins = {
        "fair": np.array([0.5, 0.5]),
        "0.9/0.1": np.array([0.9, 0.1]),
        "two heads": np.array([1.0, 0.0]),
    }
    rows = ["world p    belief q      H(p)   H(p,q)  KL(p‖q)   in nats"]
    for world, p in coins.items():
        for belief, q in coins.items():
            numbers = np.array([entropy(p), cross_entropy(p, q), kl(p, q)]) + 0.0  # no "-0.0000"
            rows.append(f"{world:10} {belief:10} " + "  ".join(f"{v:7.4f}" for v in numbers))
    print("\n".join(rows))

# %% [markdown]
r"""
## Is that so?

> "Mode-seeking" reverse KL, given a fair coin, would rather predict heads with confidence than risk a tail.

You can read this. Is it so?
"""

# %% tags=["demo"]
predict(
    "p is a fair coin. Which belief q has the least KL(q‖p)?",
    ["fair: 0.5", "0.7", "sure heads: 1.0"],
    answer=lambda: int(
        np.argmin([kl(np.array([h, 1 - h]), np.array([0.5, 0.5])) for h in (0.5, 0.7, 1.0)])
    ),
    why="It is 0 where q = p, and nowhere else.",
)

# %% tags=["demo"]
with solved("entropy", "cross_entropy", "kl"):
    fair = np.array([0.5, 0.5])
    print("q: heads   E_q[−log p] − H(q) = KL(q‖p)      H(p,q) − H(p) = KL(p‖q)")
    for heads in (0.5, 0.7, 0.9, 1.0):
        q = np.array([heads, 1 - heads])
        reverse = cross_entropy(q, fair), entropy(q) + 0.0, kl(q, fair)
        forward = cross_entropy(fair, q), entropy(fair), kl(fair, q)
        print(
            f"{heads:8.1f}      "
            + "      ".join("{:.4f} − {:.4f} = {:.4f}".format(*v) for v in (reverse, forward))
        )

# %% [markdown]
r"""
It is not so. Sure heads is the *worst* belief, at $\ln 2$. Take the reverse KL apart, and you see what punishes it:

$$\mathrm{KL}(q\|p) = \underbrace{E_q[-\log p]}_{\text{the model's samples, priced by the world}} - \underbrace{H(q)}_{\text{the model's own variety}}.$$

With a fair coin the first term is $\ln 2$ whatever $q$ says. So the whole quarrel is about the second: sure heads has $H(q) = 0$, and pays for its lack of variety. **A reverse KL that forgets $-H(q)$ is another thing**: that one would collapse onto the likeliest outcome.

Both directions have their only zero at $q = p$, so **a model that can be right is driven to be right, either way round**. Forward and reverse part company only when the family
of models does not contain the truth: one Gaussian for two bumps. (What is true: reverse KL punishes sure heads with 0.69 nats, forward KL with infinity.)

**A hundred pictures by heart.** A world of $10^6$ equally likely pictures, and a model that draws a hundred of them, each one perfect. Whoever looks at its samples finds no fault at all.
"""

# %% tags=["demo"]
predict(
    "Its KL(q‖p), and its KL(p‖q)?",
    ["0 and 0", "0 and infinity", "9.2 nats and infinity"],
    answer=lambda: 2 if math.isclose(math.log(10**6 / 100), 9.21, abs_tol=0.01) else 0,
    why="Reverse: ln 10⁶ − ln 100. Forward: 999,900 pictures are called impossible.",
)

# %% tags=["demo"]
with solved("entropy", "cross_entropy", "kl"):
    world = np.full(10**6, 1e-6)
    by_heart = np.zeros(10**6)
    by_heart[:100] = 1 / 100
    print(
        f"E_q[−log p]  {cross_entropy(by_heart, world):7.3f} nats: what each sample costs the world"
    )
    print(f"H(q)         {entropy(by_heart):7.3f} nats: the variety of the samples")
    print(f"KL(q‖p)      {kl(by_heart, world):7.3f} nats: the first less the second, ln 10⁴")
    print(f"KL(p‖q)      {kl(world, by_heart):7.3f}")
    print(
        f"a perfect model: E_q[−log p] {cross_entropy(world, world):.3f}, H(q) {entropy(world):.3f}"
    )

# %% [markdown]
r"""
Sample by sample the memorizing model is as good as the perfect one: $E_q[-\log p]$ is the same 13.816 nats. What it lacks is variety, $H(q)$, and **no single sample shows that**. Its reverse KL is 9.2 nats and its forward KL infinite, however well it draws.

## Exercise 2: two units for text

### Perplexity

`perplexity` · difficulty ●○○ · 4 minutes · 1 point

A language model gives each token of a text a probability, given the tokens before it. The average of $-\log q(x_t \mid x_{<t})$ over the $N$ tokens estimates a cross-entropy. Its exponential is the **perplexity**:

$$\mathrm{PP} = \exp\Big(-\frac1N \sum_{t=1}^{N} \log q(x_t \mid x_{<t})\Big).$$

It reads as a number of choices: *as unsure as if it had to pick among PP equally likely tokens.*

*By hand.* A model that spreads its belief evenly over 50 tokens gives each one $-\ln 50$, so PP = 50, for a text of any length. A model that gives two tokens the probabilities ½ and ⅛: the mean surprise is $\frac12(\ln 2 + \ln 8) = \ln 4$, so PP = 4. (The geometric mean of 2 and 8, not
the arithmetic mean, 5.)

<details><summary>Hint 1</summary>

If you read the same text twice in a row, is the model more perplexed? What must be divided by?
</details>
<details><summary>Hint 2</summary>

Three operations, from the inside: mean, minus, exponential.
</details>
"""


# %% exercise="perplexity"
def perplexity(log_probs):
    """The perplexity of a text: a number ≥ 1, or inf if a token was called impossible.

    log_probs: (N,), the natural logarithm of the probability that the model gave each token.
    """
    ### BEGIN SOLUTION
    return np.exp(-np.mean(log_probs))
    ### END SOLUTION


# %% check="perplexity" points=1
check(perplexity)

# %% [markdown]
r"""
### Bits per token

`bits_per_token` · difficulty ●○○ · 3 minutes · 1 point

The same average in bits: how many yes/no answers a perfect code would spend on each token (lesson 14 builds that code). A nat is *more* than a bit: $1 \text{ nat} = 1/\ln 2 = 1.4427$ bits.

$$\mathrm{BPT} = -\frac{1}{N \ln 2}\sum_{t=1}^{N} \log q(x_t \mid x_{<t}), \qquad \mathrm{PP} = 2^{\mathrm{BPT}}.$$

*By hand.* Probabilities ½ and ⅛ cost 1 and 3 bits: BPT = 2, and $2^2 = 4$ is the perplexity from above.

<details><summary>Hint 1</summary>

$\log_2 t = \ln t / \ln 2$. The logarithms that you are given are natural ones already.
</details>
<details><summary>Hint 2</summary>

Test yourself with one fair coin toss, `np.log([0.5])`: it must cost exactly 1 bit.
</details>
"""


# %% exercise="bits_per_token"
def bits_per_token(log_probs):
    """The average surprise of a text in bits per token.

    log_probs: (N,), the natural logarithm of the probability that the model gave each token.
    """
    ### BEGIN SOLUTION
    return -np.mean(log_probs) / np.log(2)
    ### END SOLUTION


# %% check="bits_per_token" points=1
check(bits_per_token)

# %% [markdown]
r"""
## Is that so?

> "A perfect model has a perplexity of 1."

What is the perplexity of the *true* distribution on its own samples? The cell tosses 100,000 coins and rolls as many dice. The model knows their true probabilities.
"""

# %% tags=["demo"]
predict(
    "The perfect model of a die: what is its perplexity?",
    ["1", "6", "e^6"],
    answer=lambda: [1, 6].index(round(math.exp(math.log(6)))),
    why="Six equally likely choices, and no model can know better.",
)

# %% tags=["demo"]
with solved("perplexity", "bits_per_token", "entropy"):
    rng = np.random.default_rng(6)
    worlds = {
        "fair coin": np.full(2, 1 / 2),
        "die": np.full(6, 1 / 6),
        "0.9/0.1 coin": np.array([0.9, 0.1]),
    }
    for name, p in worlds.items():
        tokens = rng.choice(len(p), size=100_000, p=p)
        scores = np.log(p[tokens])  # the true model's own log-probabilities
        print(
            f"{name:13} perplexity {perplexity(scores):.3f}   exp(H) = {np.exp(entropy(p)):.3f}   "
            f"{bits_per_token(scores):.3f} bits a token"
        )

# %% [markdown]
r"""
It is not so, unless the world holds no surprise. The perfect model reaches $e^{H(p)}$, and nobody goes below it on fresh data: $H(p, q) = H(p) + \mathrm{KL}(p\|q)$, and the second term is never negative. A perplexity of 1 says that every token was *certain*: of text, that means
somebody leaked the answer. And since perplexity counts per token, models with different tokens do not compare.

## Exercise 3: maximum likelihood is forward KL

`mle_equals_kl` · difficulty ●●○ · 8 minutes · 2 points

We do not have $p$. We have samples $x_1, \dots, x_N$. Their **empirical distribution** $\hat p(x)$ = (how often $x$ came) / $N$ is a distribution like any other, so everything above holds for it:

$$\underbrace{-\frac1N \sum_{i=1}^N \log q(x_i)}_{\text{average NLL}} \;=\; H(\hat p, q) \;=\; \underbrace{H(\hat p)}_{\text{not about } q} +\; \mathrm{KL}(\hat p \| q).$$

Change the model, and the first term on the right stays where it is. So **the $q$ of greatest likelihood is the $q$ of least forward KL**. Nobody chose "forward": it is what likelihood is.

*By hand.* Samples 0, 0, 0, 1 and $q = (\tfrac12, \tfrac12)$. NLL: four times $\ln 2$, divided by 4: $0.6931$. And $\hat p = (\tfrac34, \tfrac14)$: $H(\hat p) = 0.5623$, $\mathrm{KL} = \tfrac34 \ln\tfrac32 + \tfrac14 \ln \tfrac12 = 0.1308$. The sum: $0.6931$.

Return the three numbers. Compute the first from the samples themselves, one by one, and not as the sum of the other two: then their agreement says something.

<details><summary>Hint 1</summary>

`np.bincount(samples, minlength=K)` counts how often each of 0 … K−1 came. Why is `minlength` needed?
</details>
<details><summary>Hint 2</summary>

`q[samples]` is an array (N,): the model's probability of each sample. For the other two numbers you have functions.
</details>
"""


# %% exercise="mle_equals_kl"
def mle_equals_kl(samples, q):
    """(average NLL of the samples under q, H(p̂), KL(p̂‖q)), all in nats: the first is the sum of the others.

    samples: int (N,), outcomes 0 … K−1, some of which may never come. q: probabilities (K,); a sample with q = 0
    makes NLL and KL inf. p̂: the frequencies of the outcomes among the samples.
    """
    ### BEGIN SOLUTION
    frequency = np.bincount(samples, minlength=len(q)) / len(samples)  # (K,)
    with np.errstate(divide="ignore"):
        nll = -np.log(q[samples]).mean()
    return nll, entropy(frequency), kl(frequency, q)
    ### END SOLUTION


# %% check="mle_equals_kl" points=2
check(mle_equals_kl)

# %% [markdown]
r"""
Ten tosses of a coin, seven of them heads, and every belief from 0.02 to 0.98.
"""

# %% tags=["demo"]
predict(
    "Average NLL and KL(p̂‖q) as functions of the belief: how do the two curves lie?",
    ["they cross", "one is the other, lifted", "they share only the minimum"],
    answer=1,
    why="They differ by H(p̂), which is not about q.",
)

# %% tags=["demo"]
with solved("mle_equals_kl", "entropy", "kl"):
    tosses = np.array([1, 1, 0, 1, 1, 0, 1, 1, 0, 1])
    heads = np.linspace(0.02, 0.98, 97)
    nll, floor, divergence = np.array(
        [mle_equals_kl(tosses, np.array([1 - h, h])) for h in heads]
    ).T
    fig, ax = plt.subplots(figsize=(7, 3.2), constrained_layout=True)
    ax.plot(heads, nll, color="#0072B2", label="average NLL")
    ax.plot(heads, divergence, "--", color="#D55E00", label="KL(p̂‖q)")
    ax.plot(heads, floor, ":", color="#000000", label=f"H(p̂) = {floor[0]:.4f}")
    ax.axvline(0.7, color="#999999", linewidth=0.8)
    ax.set(xlabel="what q says of heads", ylabel="nats a toss", ylim=(0, 2.5))
    ax.legend()
    show(
        fig,
        "Average NLL and KL as functions of the believed probability of heads: the same curve twice, a "
        "constant 0.61 nats apart, both with their least value at 0.7, where KL is 0.",
    )
    print(
        f"largest |NLL − H − KL| over all 97 beliefs: {np.abs(nll - floor - divergence).max():.1e}"
    )

# %% [markdown]
r"""
The same curve, lifted by $H(\hat p)$. Training cannot see the height of that floor. It is why a loss of "1.20 nats" says little alone, and why the difference of two losses says much.

**But $\hat p$ is not $p$.** Training makes $\mathrm{KL}(\hat p\|q)$ small, and wanted $\mathrm{KL}(p\|q)$. The two agree only as far as the samples speak for the world; what a model gains on $\hat p$ alone is **overfitting**. The best model of ten tosses with seven heads says 0.7, and of ten tosses with no tail it says
"never", for which the eleventh may charge infinity. For real numbers it is worse: samples are points, $\hat p$ has no density, and $H(\hat p)$ does not exist. What may a model do then?

**A spike on every flower.** Real numbers, with two bumps: the petal lengths of 150 iris flowers, measured by Edgar Anderson and made famous by Fisher (1936); 100 to train on, 50 to test. The density is the mean of narrow Gaussians, one on each training flower.
"""

# %% tags=["demo"]
predict(
    "The spikes get narrower and narrower. What do the average NLLs of training and test flowers do?",
    ["both fall", "training falls, test turns and rises", "both rise"],
    answer=1,
    why="A narrow spike is high on its own flower, and nearly 0 on a new one beside it.",
)

# %% tags=["demo"]
from sklearn.datasets import load_iris

petals = load_iris().data[:, 2]  # cm, 150 flowers of three species
shuffled = np.random.RandomState(0).permutation(150)
train_petals, test_petals = petals[shuffled[:100]], petals[shuffled[100:]]


def log_gaussian(x, mu, sigma):
    """The logarithm of the height of N(mu, sigma²) at x, exact however far out."""
    return -0.5 * ((x - mu) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))


widths = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01]
for width in widths:
    seen, fresh = (
        -np.mean(np.logaddexp.reduce(log_gaussian(points[:, None], train_petals, width), axis=1))
        + math.log(len(train_petals))
        for points in (train_petals, test_petals)
    )
    print(
        f"width {width:4.2f} cm   training flowers {seen:7.2f} nats   test flowers {fresh:7.2f} nats"
    )

# %% [markdown]
r"""
The training NLL falls as long as one cares to go on: half the width, up to $\ln 2$ nats less (below zero, too: a density may exceed 1). The test NLL turns early. So "least NLL" chooses a model only if it is asked of flowers that the model has not seen; a width is chosen on a third set, of validation, so that the test stays a test.

One thing more hides in the formula. To *compute* forward KL's gradient you need samples of $p$ and $\log q$: data and a likelihood. Reverse KL weights by $q$ and asks for $\log p(x)$ at the **model's** samples. Data cannot answer that. A good reason to train by likelihood is that it
can be done with what we have.

## Exercise 4: the forward fit

`fit_forward` · difficulty ●●○ · 8 minutes · 3 points

Back to the two bumps. For a Gaussian, $\log q$ is a parabola, so the forward KL needs to know only two numbers about $p$, its mean $m$ and its variance $v$:

$$\mathrm{KL}(p\|q) = -H(p) + \log\sigma + \tfrac12 \log 2\pi + \frac{v + (m - \mu)^2}{2\sigma^2}.$$

The last term is least at $\mu = m$. Then the derivative with respect to $\sigma$, $\frac1\sigma - \frac{v}{\sigma^3}$, vanishes at $\sigma^2 = v$. **The best Gaussian has the mean and the variance of $p$** — whatever $p$ looks like.

*By hand.* 40 % at $-2$, 60 % at $+2$, each bump 0.6 wide. The mean is $0.4\cdot(-2) + 0.6 \cdot 2 = 0.4$. The variance is that *within* a bump plus that *between* them: $0.36 + 0.4 \cdot 2.4^2 + 0.6\cdot 1.6^2 = 4.2$, so $\sigma = 2.0494$.

Here $p$ is a **density on a grid**: `p[i]` is its height at `grid[i]`, and the points are evenly spaced by $\Delta$. Integrals become sums: $\int p(x) f(x)\,dx \approx \sum_i p_i\, f(x_i)\, \Delta$. So `p.sum()` is not 1, but $1/\Delta$.

<details><summary>Hint 1</summary>

`weights = p / p.sum()` sums to 1. Then both integrals are weighted averages.
</details>
<details><summary>Hint 2</summary>

The mean first; the variance is the average of $(x - m)^2$, with the same weights. What is asked is its root.
</details>
"""


# %% exercise="fit_forward"
def fit_forward(p, grid):
    """(mu, sigma) of the Gaussian q with the least KL(p‖q).

    p: heights of a density (m,) at the points `grid` (m,), which are evenly spaced.
    """
    ### BEGIN SOLUTION
    weights = p / p.sum()
    mu = (weights * grid).sum()
    return mu, np.sqrt((weights * (grid - mu) ** 2).sum())
    ### END SOLUTION


# %% check="fit_forward" points=3
check(fit_forward)

# %% [markdown]
r"""
The names for this behavior are **mass-covering**, or mean-seeking. Wherever $p$ has mass, $q$ must have some too: the term $p \log\frac{p}{q}$ grows without bound as $q \to 0$. What $q$ does where $p$ is *nothing* costs almost nothing. Hence the peak in the valley.

## Exercise 5: the reverse fit

`fit_reverse` · difficulty ●●● · 18 minutes · 4 points

Now weight by the model:

$$\mathrm{KL}(q\|p) = \int q(x)\, r(x)\, dx, \qquad r(x) = \log q(x) - \log p(x).$$

No closed form this time: $\log p$ is no parabola. So we walk downhill, in $\mu$ and $s = \log\sigma$ (any $s$ gives a positive $\sigma$). With $z = (x-\mu)/\sigma$ the two slopes are

$$\frac{\partial\,\mathrm{KL}}{\partial \mu} = \int q\, \frac{z}{\sigma}\, r\, dx, \qquad \frac{\partial\,\mathrm{KL}}{\partial s} = \int q\, (z^2 - 1)\, r\, dx.$$

Read the first: *are $q$'s bad surprises on its right side? Then move left.* (Both come from $\partial q / \partial \theta = q\, \partial \log q / \partial\theta$; that the $\theta$ inside $r$ adds nothing is a line of algebra, since $\int \partial q/\partial\theta = 0$.)

*By hand.* $p = N(0, 1)$ and $q = N(1, 1)$: then $r = -\frac12 (x-1)^2 + \frac12 x^2 = x - \tfrac12 = z + \tfrac12$. The slopes are $E_q[z(z + \tfrac12)] = 1$ and $E_q[(z^2-1)(z+\tfrac12)] = 0$. One step at the rate 0.02: $\mu = 1 - 0.02 \cdot 1 = 0.98$, and $\sigma$ stays at 1.

`start` is the Gaussian to begin with, a pair `(mu, sigma)`.

As before, $\mathrm{KL}(q\|p) = E_q[-\log p] - H(q)$, and $H(q) = \log\sigma + \frac12\log 2\pi e$ for a Gaussian. The first term pulls $q$ onto the highest point of $p$; the second keeps it from shrinking to a spike there.

Use the exact $\log q(x) = -\frac{z^2}{2} - s - \frac12\log 2\pi$, not `np.log` of a density: far out the density is 0 in floating point, its logarithm is not.

<details><summary>Hint 1</summary>

On the grid, $\int q\, f\, dx$ is `(np.exp(log_q) * f).sum() * spacing`, with `spacing = grid[1] - grid[0]`.
</details>
<details><summary>Hint 2</summary>

The loop has five lines: $\sigma$ and $z$, then $\log q$, then $r$, then both slopes, then both steps. Compute *both* slopes before you move either parameter. Downhill is minus the slope.
</details>
"""

# %% tags=["demo"]
predict(
    "Two bumps, as above, and three starts: on the left bump, on the right bump, wide in the middle. How many different ends?",
    ["1", "2", "3"],
    answer=2,
    why="One on each bump, and a wide one between: count the dips of its landscape in the explorer below.",
)


# %% exercise="fit_reverse"
def fit_reverse(p, grid, start, rate=0.02, steps=2000):
    """(mu, sigma) of a Gaussian q with locally least KL(q‖p), by plain gradient descent in mu and log sigma.

    p: heights of a density (m,), all above 0, at the evenly spaced points `grid` (m,).
    start: (mu, sigma), the Gaussian from which the descent begins. rate: every step is minus the rate times the slope
    (no momentum, no Adam). steps: how many.
    """
    ### BEGIN SOLUTION
    mu, s = start[0], np.log(start[1])
    spacing, log_p = grid[1] - grid[0], np.log(p)
    for _ in range(steps):
        sigma = np.exp(s)
        z = (grid - mu) / sigma
        log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)
        weighted = np.exp(log_q) * spacing * (log_q - log_p)  # (m,): q · r · dx
        slope_mu, slope_s = (weighted * z).sum() / sigma, (weighted * (z**2 - 1)).sum()
        mu, s = mu - rate * slope_mu, s - rate * slope_s
    return mu, np.exp(s)
    ### END SOLUTION


# %% check="fit_reverse" points=4
check(fit_reverse)

# %% [markdown]
r"""
### Your functions on the two bumps

The same explorer as above. Now it also calls **your** `kl`, `fit_forward` and `fit_reverse`: where they end is marked beside the true optimum (yours ◆, the truth +). The line under each number takes it apart: on the right, the variety $H(q)$ is what is gained by a wider $q$.

 1. Shade the integrand of KL(p‖q). Which part of the axis pays when $q$ sits on the right bump?
 2. Now that of KL(q‖p), at the same place. Why does the left bump cost nothing at all?
 3. Descend KL(q‖p) from $\mu = 0$, $\sigma = 2$, and from $\mu = 1$, $\sigma = 1$. Where is the watershed? Look for it in the landscape.
 4. Is the landscape of KL(p‖q) such that a start could matter?
"""

# %% tags=["demo"]
static.show("forward-reverse-kl")
KLExplorer.of(kl, fit_forward, fit_reverse)

# %% [markdown]
r"""
Did you see the price? On the right bump $\mathrm{KL}(q\|p) = 0.51$, on the left 0.91. Near its own bump, $p \approx w \cdot q$ with $w$ the weight of the bump, so

$$\mathrm{KL}(q\|p) \approx \int q \log\frac{q}{w\,q} = -\log w: \qquad -\ln 0.6 = 0.5108, \quad -\ln 0.4 = 0.9163.$$

That is all that forgetting the other bump costs, **however far away it is**. Forward KL would pay for the same neglect about $(\text{distance}/\sigma)^2/2$ for each forgotten sample.

## When does the reverse fit choose?

So is reverse KL always "mode-seeking"? Take two equal bumps of width 0.5 at $\pm d$, and move them apart. At each distance we fit twice: from a start on the right bump, and from a wide start in the middle.
"""

# %% tags=["demo"]
predict(
    "As the bumps move apart: how does the reverse fit that started on a bump leave the middle?",
    ["gradually", "at once, at some distance", "it never was in the middle"],
    answer=1,
    why="The right picture below says why: covering both stays cheaper than ln 2 for a while.",
)


# %% tags=["demo"]
def gaussian(x, mu, sigma):
    """The height of N(mu, sigma²) at x."""
    return np.exp(-0.5 * ((x - mu) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))


def reverse_kl(p, grid, mu, sigma):
    """KL(q‖p) for a density p on the grid and q = N(mu, sigma²)."""
    log_q = -0.5 * ((grid - mu) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi))
    return (np.exp(log_q) * (log_q - np.log(p))).sum() * (grid[1] - grid[0])


# %% tags=["demo"]
with solved("fit_forward", "fit_reverse"):
    x = np.linspace(-9, 9, 361)
    distances = np.arange(0.2, 2.61, 0.1)
    found = []
    for d in tqdm(distances, desc="moving the bumps apart", leave=False):
        p = 0.5 * gaussian(x, -d, 0.5) + 0.5 * gaussian(x, d, 0.5)
        narrow, wide = fit_reverse(p, x, (d, 0.5)), fit_reverse(p, x, (0.0, d + 0.3))
        costs = reverse_kl(p, x, *narrow), reverse_kl(p, x, *wide)
        found.append((fit_forward(p, x)[1], narrow[0], wide[1], *costs))
    forward_sigma, narrow_mu, wide_sigma, narrow_kl, wide_kl = np.array(found).T
    first = distances[narrow_mu > 0.1][0]
    crossing = distances[narrow_kl < wide_kl - 1e-3][0]

    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), constrained_layout=True)
    left.plot(distances, narrow_mu, "o-", color="#D55E00", label="reverse, from a bump: μ")
    left.plot(distances, wide_sigma, "s-", color="#CC79A7", label="reverse, from the middle: σ")
    left.plot(distances, forward_sigma, color="#0072B2", label="forward: σ (its μ is 0)")
    left.set(xlabel="distance d of a bump from 0", ylabel="μ or σ")
    left.legend(fontsize=8)
    right.plot(distances, narrow_kl, "o-", color="#D55E00", label="from a bump")
    right.plot(distances, wide_kl, "s-", color="#CC79A7", label="from the middle")
    right.axhline(math.log(2), color="#000000", linestyle=":", label="ln 2")
    right.set(xlabel="distance d of a bump from 0", ylabel="KL(q‖p), nats", ylim=(0, 2))
    right.legend(fontsize=8)
    show(
        fig,
        "Left: the reverse fit started at a bump stays in the middle, mu 0, while the bumps are close, and jumps "
        "out to the bump at d = 1.3; the fit from the middle stays there and widens. Right: its KL "
        "keeps rising, while that of the single bump levels off at ln 2.",
    )
    print(
        f"from d = {first:.1f} on, a start at a bump stays there; from d = {crossing:.1f} on, that is the better end"
    )

# %% [markdown]
r"""
At once. While the bumps are near, covering both is cheaper than $\ln 2$, and the reverse fit **covers**, a little narrower than the forward one. Only beyond does it pick a side, and then the start decides which one; the wide answer stays behind as a third local optimum. "Mode-seeking" is a
tendency of a model that is too small, not a law.

## Flowers: a number to beat

The petal lengths again. This time the world $p$ is a density made of the training flowers, a Gaussian of 0.2 cm around each of the 100.

Three models, each *one* Gaussian: the forward fit and the reverse fit from two starts. Each is asked twice:

 - **likelihood**: the average NLL of the 50 test flowers, in nats (for lengths in cm: in mm every number would be $\ln 10$ larger);
 - **samples**: the share of its samples that fall where *no* flower is, below 0.8 cm or between 2.1 and 2.8 cm.
"""

# %% tags=["demo"]
lengths = np.linspace(-2, 11, 521)
density = gaussian(lengths[:, None], train_petals, 0.2).mean(1)  # (521,)


def scores(heights):
    """(test NLL, its standard error, share of the mass where no flower is) of a density on `lengths`."""
    nll = -np.log(np.interp(test_petals, lengths, heights))
    nowhere = (lengths < 0.8) | ((lengths > 2.1) & (lengths < 2.8))
    share = heights[nowhere].sum() / heights.sum()
    return nll.mean(), nll.std(ddof=1) / math.sqrt(len(nll)), share


predict(
    "Who wins the likelihood, and who the samples?",
    [
        "forward wins both",
        "forward the likelihood, a reverse fit the samples",
        "a reverse fit both",
    ],
    answer=1,
    why="Each is best at what it was fitted to. The cell below measures both.",
)


# %% tags=["demo"]
with solved("fit_forward", "fit_reverse"):
    fits = {
        "forward": fit_forward(density, lengths),
        "reverse from 1.5": fit_reverse(density, lengths, (1.5, 0.5)),
        "reverse from 5.0": fit_reverse(density, lengths, (5.0, 0.5)),
    }
    fig, ax = plt.subplots(figsize=(8, 3.4), constrained_layout=True)
    ax.fill_between(lengths, density, color="#999999", alpha=0.4, label="training flowers")
    for (name, (mu, sigma)), look in zip(
        fits.items(), ("#0072B2 -", "#D55E00 --", "#009E73 -."), strict=True
    ):
        color, style = look.split()
        ax.plot(lengths, gaussian(lengths, mu, sigma), style, color=color, label=name)
        nll, error, share = scores(gaussian(lengths, mu, sigma))
        print(
            f"{name:17} μ {mu:.2f}  σ {sigma:.2f}   test {nll:6.2f} ± {error:.2f} nats   samples nowhere {share:6.1%}"
        )
    ax.set(xlabel="petal length (cm)", ylabel="density", xlim=(-1, 9))
    ax.legend()
    show(
        fig,
        "Petal lengths: a narrow bump near 1.5 cm and a wide one near 5. The forward fit is broad and peaks at "
        "3.8 cm, where few flowers are. Each reverse fit covers one bump and nothing of the other.",
    )

# %% [markdown]
r"""
The forward fit wins the likelihood by far, and one sample in six is a flower that nobody has seen: in the gap, or shorter than any, some of *negative* length. The reverse fits draw believable flowers, and pay for those they forgot: the wide one 12 nats for a flower of 1.5 cm, the narrow one 77 for a flower of 4.9 cm. Theis, van den Oord and Bethge (2016) show the same of image models.

**The number to beat is the forward fit's NLL.** The cure is no cleverer divergence, but a model that can be right. The cell cuts the density at 2.5 cm, fits each side with *your* `fit_forward`, and mixes the two.
"""

# %% tags=["demo"]
with solved("fit_forward"):
    mixture = np.zeros_like(density)
    for side in (lengths < 2.5, lengths >= 2.5):
        mu, sigma = fit_forward(density * side, lengths)
        mixture += density[side].sum() / density.sum() * gaussian(lengths, mu, sigma)
    single_nll, _, single_share = scores(gaussian(lengths, *fit_forward(density, lengths)))
    nll, error, share = scores(mixture)
    print(f"one Gaussian   {single_nll:.2f} nats, {single_share:.1%} of the samples nowhere")
    print(f"two Gaussians  {nll:.2f} ± {error:.2f} nats, {share:.1%} of the samples nowhere")

# %% [markdown]
r"""
With a better family, both columns improve together. That is the plan of this whole course: keep the forward KL, and make the conditionals so flexible that its choice of errors hardly matters.

## A question to answer in words

 1. Maximum likelihood minimizes the forward KL. Show why in one line, and say why the reverse KL cannot be minimized from samples of $p$ alone.
 2. A model of medical images has a terrible test NLL, yet each image it draws convinces the doctors. "Then its reverse KL is small," says one of them. Is it? Which term do the doctors see, which one not, and for which use would that matter?
 3. Forward and reverse fit of some model come out equal. Name two situations in which that happens.

A few sentences for each.
"""

# %% [markdown] question="which_way" points=2
r"""
### BEGIN SOLUTION
1. $\mathrm{KL}(p\|q) = -H(p) + E_p[-\log q]$: the first term does not depend on $q$, the second is the expected NLL, which samples of $p$ estimate. The reverse KL is $E_q[\log q - \log p]$: it needs $\log p$ at the points that the *model* draws, and samples of $p$ do not tell the density there.
2. Not necessarily. $\mathrm{KL}(q\|p) = E_q[-\log p] - H(q)$. Convincing images show that the first term is as small as it should be: the samples lie where $p$ is high. The second, the variety, no image shows by itself: a model that draws 100 of $10^6$ equally likely images perfectly has $\mathrm{KL}(q\|p) = \ln 10^4 = 9.2$ nats. The terrible test NLL says that the
   forward KL is large: some real cases get next to no probability, most likely whole kinds of them (rare diseases). No harm for an illustration in a textbook; dangerous for detection, for augmentation of training data, for any use that takes "improbable under the model" as "does not exist".
3. When the family contains $p$: both are 0 at $q = p$ and nowhere else. When $p$ is close to a member of the family, or its bumps overlap so much that covering costs the reverse KL less than choosing (the experiment: nearly, not exactly, equal). Also by symmetry, for some parameters only, such as $\mu$ of two close equal bumps.

Rubric: ½ point for the decomposition with $H(p)$ independent of $q$. ½ point for "needs $\log p$ at the model's samples". ½ point for naming $H(q)$ (variety) as what single samples do not show, together with a large forward KL and a use where that matters. ½ point for "the family contains the truth" and any second valid situation.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

$\mathrm{KL}(p\|q)$ is the extra surprise of believing $q$ while the world does $p$; the first argument weights, and one outcome called impossible makes it infinite. Maximum likelihood *is* forward KL, up to the entropy of the data, which no model can remove. When the model is
too small, forward covers all of $p$ and puts mass where there is none, reverse may settle on a part of $p$ and pays only $-\log w$ for forgetting the rest; when the model can be right, both want the same.

## Go further

 - C. E. Shannon (1948). *A Mathematical Theory of Communication.* Bell System Technical Journal 27. Entropy, and section 3's English by chance.
 - S. Kullback, R. A. Leibler (1951). *On Information and Sufficiency.* Annals of Mathematical Statistics 22.
 - T. M. Cover, J. A. Thomas (2006). *Elements of Information Theory*, 2nd ed., Wiley. Chapter 2.
 - T. Minka (2005). *Divergence Measures and Message Passing.* Microsoft Research TR-2005-173. A whole family of divergences between the two KLs.
 - C. M. Bishop (2006). *Pattern Recognition and Machine Learning*, Springer. Section 10.1.2: both fits, drawn in two dimensions.
 - L. Theis, A. van den Oord, M. Bethge (2016). *A Note on the Evaluation of Generative Models.* ICLR. Likelihood and looks are largely independent.
 - I. Goodfellow et al. (2014). *Generative Adversarial Nets.* NeurIPS. Theorem 1. M. Arjovsky, L. Bottou (2017). *Towards Principled Methods for Training Generative Adversarial Networks.* ICLR. Theorem 2.5.
 - D. P. Kingma, M. Welling (2014). *Auto-Encoding Variational Bayes.* ICLR. J. Ho, A. Jain, P. Abbeel (2020). *Denoising Diffusion Probabilistic Models.* NeurIPS.
 - R. A. Fisher (1936). *The Use of Multiple Measurements in Taxonomic Problems.* Annals of Eugenics 7. The flowers.

**Try:** a generator cannot compute $\log p$, but a discriminator estimates $\log p - \log q$. Put $-\log\frac{D}{1-D}$ for $r$ in `fit_reverse`, with the best $D$ on the grid: which divergence do you descend now?

## Recall

Cover the screen above, and answer aloud before you unfold.

<details><summary>Which argument of KL weights, which stands alone in the logarithm of the cross-entropy?</summary>

The first weights (whose samples are they?). The second is the believer: $H(p, q) = -\sum p \log q$.
</details>
<details><summary>A loss is 0.9 nats a token. What are bits per token and perplexity?</summary>

$0.9 / 0.6931 = 1.298$ bits, and $e^{0.9} = 2^{1.298} = 2.46$.
</details>
<details><summary>Why does the forward fit of two bumps peak where nothing happens?</summary>

Its mean and variance must be those of $p$; being absent from a bump costs without bound, being present in a valley costs little.
</details>
<details><summary>What does the reverse KL cost when a bump of weight w is covered perfectly and all the rest is forgotten?</summary>

$-\log w$, however far away the rest is.
</details>
<details><summary>Somebody adds 10⁻¹² inside each logarithm "for stability". What is lost?</summary>

The infinity: a model that calls a real event impossible is charged 27.6 nats, once, and may win the comparison.
</details>
<details><summary>Can a test perplexity fall below exp H(p)?</summary>

By the luck of a finite sample, a little. In expectation never, since KL ≥ 0; if it stays below, the model has seen the answers.
</details>
"""

# %% [markdown]
r"""
## Appendix: what other models minimize

Nothing to do here, and nothing that a later lesson needs: a map for who meets the other families.

Let $p$ be the data and $q_\theta$ the model.

| model | trained to minimize | which way round | what the two bumps lead one to expect |
|---|---|---|---|
| autoregressive models, flows | average NLL, exactly | forward, $\mathrm{KL}(p\|q_\theta)$ | covers everything, some samples in between |
| VAE (Kingma and Welling, 2014) | minus the ELBO (evidence lower bound), an upper bound on the NLL | forward in $x$, *plus* a reverse KL in the latent $z$ | covers |
| diffusion (Ho, Jain and Abbeel, 2020) | a (reweighted) bound on the NLL | forward in $x$, if the weights are the bound's own | covers |
| GAN, minimax (Goodfellow et al., 2014) | $2\,\mathrm{JS}(p, q_\theta) - \ln 4$, for the best discriminator (JS: the mean KL of both from their midpoint) | between the two, symmetric | between covering and choosing |
| GAN, non-saturating | no one divergence; in gradient, at the best discriminator, $\mathrm{KL}(q_\theta\|p) - 2\,\mathrm{JS}$ (Arjovsky and Bottou, 2017) | leans to reverse | leans to choosing |
| variational inference, reinforcement learning with a KL penalty | $\mathrm{KL}(q_\theta\|p)$, where $\log p$ is known up to a constant | reverse | one good answer rather than all |

Two rows deserve a proof on small numbers.

## Is that so?

> "A VAE minimizes a reverse KL, which is why it behaves otherwise than maximum likelihood."

The ELBO does contain $\mathrm{KL}(q(z|x)\,\|\,p(z|x))$, weighted by the model's own $q$. Reverse, surely. But over *what* does it run? The cell makes a tiny VAE, three outcomes $x$ and two latents $z$, all of it at random.
"""

# %% tags=["demo"]
with solved("entropy", "kl"):
    rng = np.random.default_rng(1)
    data, prior = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(2))  # p(x), p(z)
    decoder = rng.dirichlet(np.ones(3), size=2)  # p(x|z), (z, x)
    encoder = rng.dirichlet(np.ones(2), size=3)  # q(z|x), (x, z)
    both = prior[:, None] * decoder  # (z, x)
    model, posterior = both.sum(0), (both / both.sum(0)).T  # p_θ(x), and p(z|x) as (x, z)
    elbo = [(encoder[x] * (np.log(both[:, x]) - np.log(encoder[x]))).sum() for x in range(3)]
    loss = -(data * elbo).sum()
    inner = sum(data[x] * kl(encoder[x], posterior[x]) for x in range(3))
    print(f"loss, minus the average ELBO                  {loss:.6f}")
    print(
        f"H(data) + KL(data‖model) + E KL(q(z|x)‖p(z|x)) {entropy(data) + kl(data, model) + inner:.6f}"
    )
    print(f"forward KL in x {kl(data, model):.4f}, reverse KL in z {inner:.4f}")

# %% [markdown]
r"""
Half so. The loss is the *forward* KL in $x$, as in maximum likelihood, plus a reverse KL **in $z$**: the price of an encoder that does not know the model's posterior. What runs the other way round is the *latent* code.

And the GAN: the best discriminator says $D(x) = \frac{p(x)}{p(x) + q(x)}$. What is its generator told when $p$ and $q$ do not overlap at all?
"""

# %% tags=["demo"]
with solved("kl"):

    def jensen_shannon(p, q):
        """The average KL of p and of q from their midpoint: at most ln 2."""
        return 0.5 * kl(p, (p + q) / 2) + 0.5 * kl(q, (p + q) / 2)

    p = np.array([0.4, 0.6, 0, 0])
    for name, q in {
        "close": np.array([0.5, 0.5, 0, 0]),
        "half": np.array([0, 0.6, 0.4, 0]),
        "disjoint": np.array([0, 0, 0.4, 0.6]),
    }.items():
        D = p / np.where(p + q > 0, p + q, 1)
        real, fake = np.log(D[p > 0]) * p[p > 0], np.log(1 - D[q > 0]) * q[q > 0]
        print(
            f"{name:9} V(D) = {real.sum() + fake.sum():.4f}   2 JS − ln 4 = {2 * jensen_shannon(p, q) - math.log(4):.4f}"
            f"   JS {jensen_shannon(p, q):.4f}   KL(p‖q) {kl(p, q):.4f}   KL(q‖p) {kl(q, p):.4f}"
        )

# %% [markdown]
r"""
JS never exceeds $\ln 2$. Where nothing overlaps, it says 0.6931 however far apart $p$ and $q$ are: it is *flat*, and a perfect discriminator gives no slope to follow. Goodfellow et al. (2014, section 3) give this as the reason for the non-saturating loss.
"""
