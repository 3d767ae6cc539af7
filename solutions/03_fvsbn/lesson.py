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
#     name: 03_fvsbn
#     title: "FVSBN: logistic regressions in a row"
#     question: "You see the top half of a handwritten digit. How far does one logistic regression for each pixel get with the rest?"
#     minutes: 70
#     prerequisites: [01_exponential_wall, 02_chain_rule]
# ---

# %%
import math

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from IPython.display import display
from torch import nn

from autograder import check
from course import data, full_size
from course.demo import solved
from course.picture import show
from course.progress import tqdm
from course.training import evaluate, fit
from figures.completion import CompletionExplorer
from figures.predict import predict

# %% [markdown]
r"""
## Half a digit

Here are the top four rows of a handwritten digit, 8×8 pixels, black or white. You have a guess about the lower half already, don't you?

**Draw one yourself:** click pixels on and off above the line, then press *Complete* for six guesses of the lower half. They come from a very simple model: each missing pixel is a coin of its own, black as often as that pixel was black in 1,297 training images. (The middle picture is for *votes*: what each pixel drawn so far says for or against ink in the framed one. For now it stays empty.)
"""

# %% tags=["folded"] title="The digits"
digits = data.digits()

# %% tags=["demo"] title="A coin for each pixel"
frequency = (digits.train.sum(0) + 1) / (len(digits.train) + 2)  # a count of 0 is no probability 0


def coin_logits(x, weight, bias):
    """The log-odds of each pixel's own frequency, whatever the picture holds."""
    return bias.expand(x.shape)


def coin_complete(prefix, weight, bias, generator):
    """Draws the missing pixels, each with its own frequency."""
    rest = frequency[prefix.shape[1] :].expand(len(prefix), -1)
    return torch.cat([prefix, torch.bernoulli(rest, generator=generator)], dim=1)


no_weights = torch.zeros(64, 64)
CompletionExplorer.of(
    coin_logits,
    coin_complete,
    no_weights,
    frequency.logit(),
    x=torch.cat([digits.test[34][:32], torch.zeros(32)]),  # the lower half is yours to guess
    cursor=32,
    at_once=False,
)

# %% tags=["demo"]
predict(
    "You change the upper half and press Complete again. What do the six lower halves make of it?",
    ["they go on with the strokes you drew", "nothing: they ignore what you drew"],
    answer=lambda: int(
        torch.equal(
            coin_logits(digits.test[34], no_weights, frequency.logit()),
            coin_logits(1 - digits.test[34], no_weights, frequency.logit()),
        )
    ),
    why="The probability of each missing pixel is the same number, whatever the picture holds.",
)

# %% [markdown]
r"""
The coins do not look. What is missing has a name: $p(x_i \mid x_{<i})$, the probability of a pixel **given the pixels before it**. The chain rule says that nothing else is needed:

$$p(x) = \prod_{i=1}^{n} p(x_i \mid x_{<i}).$$

Each factor answers one yes-or-no question about a few bits: *will pixel $i$ be black, after what you have seen?* There is an old and simple machine for such questions, the **logistic
regression**: each black pixel $j$ before casts a **vote** $W_{ij}$, a positive number for ink or a negative one against it; the votes are added to a **bias** $b_i$, what pixel $i$ tends to
without any vote; and the sum, the **logit**, goes through a sigmoid, which makes a probability of it.

$$p(x_i = 1 \mid x_{<i}) = \sigma\Big(b_i + \sum_{j<i} W_{ij}\, x_j\Big), \qquad \sigma(\ell) = \frac{1}{1 + e^{-\ell}}.$$

One for each pixel, 64 in a row. That is the whole model of this lesson. Its long name is *fully visible sigmoid belief network*, FVSBN: a belief network with sigmoids, and no hidden unit
anywhere. Frey, Hinton and Dayan (1996) used it as one of the simple rivals that a deep model had to beat.

**How many numbers?** Pixel 1 has a bias, pixel 2 a bias and one weight, pixel $n$ a bias and $n-1$ weights: $1 + 2 + \dots + n = n(n+1)/2$. For 64 pixels that is 2,080; a table would need $2^{64} - 1$.
"""

# %% tags=["demo"]
for n in (3, 64, 784):
    print(f"n = {n:3}: {n * (n + 1) // 2:>7,} numbers; a table has {float(2**n - 1):.1e}")

# %% [markdown]
r"""
## Exercise 1: all votes at once

`logits` · difficulty ●○○ · 8 minutes · 3 points

What goes into the sigmoid, the bias and all votes together, is the **logit**: $\ell_i = b_i + \sum_{j<i} W_{ij}\,x_j$. It is the log-odds, $\ell = \log\frac{p}{1-p}$.

Row $i$ of the matrix $W$ belongs to pixel $i$. The sum runs over $j < i$ only: of row $i$, the entries **left of the diagonal** count. A matrix of which only these count is called *strictly lower triangular*.

*By hand.* Three pixels; the entries that count are bold:

$$
W = \begin{pmatrix} 7 & 9 & 8 \\ \mathbf{2} & 5 & 9 \\ \mathbf{-1} & \mathbf{3} & 4 \end{pmatrix},\quad
b = \begin{pmatrix} 0 \\ -1 \\ 0.5 \end{pmatrix},\quad
x = \begin{pmatrix} 1 \\ 0 \\ 1 \end{pmatrix}
\quad\Rightarrow\quad
\ell = \begin{pmatrix} 0 \\ -1 + 2 \cdot 1 \\ 0.5 - 1 \cdot 1 + 3 \cdot 0 \end{pmatrix} = \begin{pmatrix} 0 \\ 1 \\ -0.5 \end{pmatrix}.
$$

What do the 7, 5, 4 on the diagonal mean? They would let a pixel vote about *itself*. And the 9, 8, 9 above it would ask pixels that are not there yet. So cut them off, **whatever the caller passes there**, and on every call:
training moves all entries of $W$.

<details><summary>Hint 1</summary>

`torch.tril(W, diagonal)` keeps the lower triangle of a matrix, and returns a new one. Which `diagonal` leaves the main diagonal out, too?
</details>
<details><summary>Hint 2</summary>

`x` has one example in each **row**: shape `(B, n)`. For one example the sum is $Wx$, for a batch of rows it is $x W^\top$.
</details>
"""

# %% tags=["demo"]
predict(
    "Somebody writes x @ W in place of x @ W.T, with a lower triangular W. Who votes about pixel i then?",
    ["the pixels before i", "the pixels after i", "nobody: the shapes do not fit"],
    answer=1,
    why="It sums x_j W_ji: column i in place of row i, and below the diagonal that column holds the pixels after i.",
)


# %% exercise="logits"
def logits(x, weight, bias):
    """All n logits of p(x_i = 1 | x_<i), in the order of the pixels.

    x: bits as floats (B, n). weight: (n, n), of which only the entries below the diagonal count.
    bias: (n,). Returns (B, n); leaves its arguments as they are.
    """
    ### BEGIN SOLUTION
    return x @ torch.tril(weight, -1).T + bias  # (B, n)
    ### END SOLUTION


# %% check="logits" points=3
check(logits)

# %% [markdown]
r"""
## Exercise 2: the price of a picture

`nll` · difficulty ●●○ · 10 minutes · 3 points

The chain rule multiplies the factors, so the logs add. The **negative log-likelihood** is what we will minimize, in nats:

$$-\log p(x) = \sum_{i=1}^{n} -\log p(x_i \mid x_{<i}).$$

A factor is $\sigma(\ell_i)$ if $x_i = 1$, and $1 - \sigma(\ell_i)$ if $x_i = 0$. Both cases in one line:

$$-\log p(x_i \mid x_{<i}) = \log(1 + e^{\ell_i}) - x_i\,\ell_i.$$

*By hand*, with the logits $(0, 1, -0.5)$ and $x = (1, 0, 1)$ from above:

| $i$ | $\ell_i$ | $x_i$ | probability of what came | nats |
|---|---|---|---|---|
| 1 | 0 | 1 | $\sigma(0) = 0.5000$ | 0.6931 |
| 2 | 1 | 0 | $1 - \sigma(1) = 0.2689$ | 1.3133 |
| 3 | −0.5 | 1 | $\sigma(-0.5) = 0.3775$ | 0.9741 |

Together 2.9805 nats: $p(x) = e^{-2.9805} = 0.0508$, the product of the three.

One trap. In float32 $\sigma(20)$ is exactly 1, and $-\log(1 - 1) = \infty$: one surprise, and the mean over the whole training set is infinite. So never take the logarithm of a sigmoid: compute with logits.

<details><summary>Hint 1</summary>

`F.softplus(a)` is $\log(1 + e^a)$ without overflow. Or look at `F.binary_cross_entropy_with_logits` and its `reduction`.
</details>
<details><summary>Hint 2</summary>

The terms have shape `(B, n)`, the answer `(B,)`: one number for each example. A sum, or a mean? Over which dimension?
</details>
"""

# %% tags=["demo"]
predict(
    "A pixel has the logit 100, and it stays white after all. What does this surprise cost?",
    ["about 4.6 nats", "about 100 nats", "infinitely many nats"],
    answer=lambda: [5, 100].index(round(F.softplus(torch.tensor(100.0)).item())),
    why="log(1 + e^100) − 0, dear but finite. -torch.log(1 - torch.sigmoid(torch.tensor(100.0))) says inf: that is the trap.",
)


# %% exercise="nll"
def nll(x, weight, bias):
    """−log p(x) in nats, one number for each example: (B,). Finite for large logits, too.

    x: bits as floats (B, n). weight, bias: as for `logits`.
    """
    ### BEGIN SOLUTION
    score = logits(x, weight, bias)  # (B, n)
    return F.binary_cross_entropy_with_logits(score, x, reduction="none").sum(dim=1)
    ### END SOLUTION


# %% check="nll" points=3
check(nll)

# %% [markdown]
r"""
### Is it a distribution? Ask all of them

For 8 pixels there are 256 pictures: few enough to ask for the probability of each. The weights below are random, and nobody trained them. Your check says what the 256 sum to. And if a factor is missing?
"""

# %% tags=["demo"]
predict(
    "Somebody forgets the last factor, p(x_8 | x_<8). What do the products of the other seven, one for each of the 256 pictures, sum to?",
    ["1/2", "1", "2"],
    answer=2,
    why="Each picture of 7 pixels is counted twice, with the eighth white and with it black. The cell below adds them up.",
)

# %% tags=["demo"]
every = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 8)  # (256, 8)

with solved("nll"):
    random = torch.Generator().manual_seed(1)
    weight = 3 * torch.randn(8, 8, generator=random, dtype=torch.float64)
    bias = torch.randn(8, generator=random, dtype=torch.float64)
    p = nll(every, weight, bias).neg().exp()
    print(
        f"{len(p)} probabilities, from {p.min():.1e} to {p.max():.3f}; they sum to {p.sum():.12f}"
    )
    seven = nll(every[:, :7], weight[:7, :7], bias[:7]).neg().exp()
    print(f"without the last factor they sum to {seven.sum():.12f}")

# %% [markdown]
r"""
One with all factors, whatever the weights are: each of them sums to 1 over its own bit, so the last bit can be summed out, then the one before it, and so on. **No normalizing constant** had to be computed. That is what the order buys.

### Is that so?

> "I set the upper triangle of $W$ to zero before training. So my model is autoregressive."

True before the first step. The cell takes row 4 of each image, 8 pixels, so that all 256 patterns can be asked again.
"""

# %% tags=["demo"]
predict(
    "Trained for 100 epochs: what do its 256 'probabilities' sum to?",
    ["1, as before", "less than 1", "more than 1"],
    answer=2,
    why="Nothing holds the triangle at zero. The cell below trains it.",
)


# %% tags=["demo"]
class ClearedOnce(nn.Module):
    """A logistic regression for each pixel, with the triangle cleared at the start and never again."""

    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(
            torch.randn(n, n, generator=torch.Generator().manual_seed(0)).tril(-1)
        )
        self.bias = nn.Parameter(torch.zeros(n))

    def nll(self, x):
        score = F.linear(x, self.weight, self.bias)
        return F.binary_cross_entropy_with_logits(score, x, reduction="none").sum(1)


cleared, rows = ClearedOnce(8), slice(24, 32)
for epochs in (0, 20, 100):
    if epochs:
        fit(
            cleared,
            digits.train[:, rows],
            digits.valid[:, rows],
            epochs=epochs,
            lr=0.1,
            progress=False,
        )
    nats, _ = evaluate(cleared, digits.test[:, rows])
    total = cleared.nll(every.float()).neg().exp().sum()
    print(
        f"after {epochs:3} epochs: {nats:7.4f} nats a row; its 256 'probabilities' sum to {total:6.2f}"
    )

# %% [markdown]
r"""
The gradient of a weight that is zero is not zero. The diagonal grew back, each pixel now votes for itself, and the loss fell to almost nothing: **the better the number, the less it means**. (Why 64, and not 256? Two of the 8 pixels
are white in all images and learned to stay so; the other six copy themselves, and $2^6 = 64$.) An honest model of these 8 pixels comes next; it costs about 3 nats. So the mask belongs into `logits`, where it works on every call.
"""

# %% tags=["demo"]
with solved("nll"):

    class MaskedAlways(ClearedOnce):
        """The same start, trained with your nll."""

        def nll(self, x):
            return nll(x, self.weight, self.bias)

    honest = MaskedAlways(8)
    fit(honest, digits.train[:, rows], digits.valid[:, rows], epochs=20, lr=0.1, progress=False)
    nats, _ = evaluate(honest, digits.test[:, rows])
    total = honest.nll(every.float()).neg().exp().sum()
    print(f"masked on every call: {nats:.4f} nats a row; its 256 probabilities sum to {total:.6f}")

# %% [markdown]
r"""
## Digits: a number to beat

1,297 digits to train on, 200 to choose the best epoch, 300 to test. Two models need no training at all: fair coins, and the coins from the beginning, each with the frequency of its own pixel. **The second is the number to beat.**
"""

# %% tags=["demo"]
coins = F.binary_cross_entropy(frequency.expand_as(digits.test), digits.test, reduction="none").sum(
    1
)
print(f"a fair coin for each pixel      {64 * math.log(2):5.2f} nats an image")
print(f"a coin with its own frequency   {coins.mean():5.2f} nats an image")

# %% [markdown]
r"""
Your two functions need somewhere to keep their numbers. All weights start at zero: at first every pixel is a fair coin.
"""

# %% tags=["demo"]
predict(
    "Where does training end, in nats an image on the test set?",
    ["near 24", "near 18", "near 10"],
    answer=1,
    why="The second cell below trains it, and prints the number.",
)


# %%
class FVSBN(nn.Module):
    """The numbers of a fully visible sigmoid belief network over n bits."""

    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n, n))
        self.bias = nn.Parameter(torch.zeros(n))

    def nll(self, x):
        return nll(x, self.weight, self.bias)


# %% tags=["demo"]
with solved("logits", "nll"):
    trained = FVSBN(64)
    nats, _ = evaluate(trained, digits.test)
    print(f"before training {nats:.2f} nats")
    display(fit(trained, digits.train, digits.valid, epochs=100, batch_size=100, lr=2e-2))
    model = trained  # what the cells below show
    nats, error = evaluate(model, digits.test)
    print(
        f"coins {coins.mean():.2f} nats; FVSBN {nats:.2f} ± {error:.2f} (standard error over images)"
    )

# %% [markdown]
r"""
Almost 7 nats an image: to the FVSBN a typical test digit is about 900 times as likely as to the coins ($e^{6.8} \approx 900$).

One thing is special about this model. $\log(1 + e^{\ell}) - x\ell$ is convex in $\ell$, and $\ell$ is linear in the weights. So the loss is **convex**: there is one valley, and wherever you start, you end up in it. A network with hidden units cannot say that of itself: lesson 4 shows a
start from which training fails.

### What the votes look like

Row $i$ of $W$ says how each earlier pixel votes about pixel $i$: it is a picture itself. Below are 12 of the 64, purple for "makes ink likelier", orange for "makes it less likely". The square is pixel $i$.
"""

# %% tags=["demo"]
predict(
    "Which earlier pixels have the strongest votes about a pixel in the middle?",
    ["its neighbors to the left and above", "those far away", "all about the same"],
    answer=0,
    why="The cell below draws twelve rows of W and prints the means.",
)

# %% tags=["demo"]
with solved("logits", "nll"):
    votes = model.weight.detach().tril(-1)
    fig, axes = plt.subplots(2, 6, figsize=(9, 3.3), constrained_layout=True)
    for ax, i in zip(axes.flat, (10, 12, 19, 20, 27, 28, 35, 36, 43, 44, 51, 52), strict=True):
        picture = votes[i].clone()
        picture[i:] = math.nan  # nothing to see from here on
        drawn = ax.imshow(picture.view(8, 8), cmap="PuOr", vmin=-4, vmax=4)
        ax.add_patch(plt.Rectangle((i % 8 - 0.5, i // 8 - 0.5), 1, 1, fill=False, lw=2))
        ax.set(xticks=[], yticks=[], title=f"votes for pixel {i + 1}", facecolor="0.9")
        ax.title.set_fontsize(9)
    fig.colorbar(drawn, ax=axes, label="weight")
    near = [votes[i, [i - 1, i - 8]].mean() for i in range(64) if i % 8 and i > 8]
    far = [votes[i, : i - 10].mean() for i in range(20, 64)]
    show(
        fig,
        "Twelve 8 by 8 maps of weights into one pixel. All from that pixel on is empty. Most weights are "
        "pale; the pixel to the left and those in the row above stand out, mostly in purple.",
    )
    print(f"mean weight of the neighbors left and above {sum(near) / len(near):.2f},", end=" ")
    print(f"of all pixels further back {sum(far) / len(far):.2f}")
    print(
        f"pixel 24 is black in {digits.train[:, 23].sum():.0f} of the {len(digits.train):,} training images"
    )

# %% [markdown]
r"""
The neighbors to the left and above have the strongest vote, for ink. The pixels further back vote against it on average, and faintly.

And the strong colors at the right border? Pixel 24 is black in one training image of 1,297: what its votes say was learned from that image alone (where $x_j = 0$, the weights of pixel $j$ have no gradient). A weight that rests on one image says little about the next one.

## Exercise 3: from votes to pictures

`sample` · difficulty ●●○ · 10 minutes · 4 points

So far $x$ was given, and the task was **density estimation**: say $p(x)$. The other task is **sampling**: there is no $x$, and the model makes one up. Models that can say $p(x)$ are called *explicit*, those that can only sample, as GANs do, *implicit*; ours do both, exactly. Sampling goes in the order of the pixels, and is called **ancestral**:

> for $i = 1, \dots, n$: compute $p(x_i = 1 \mid x_{<i})$ from the bits **already drawn**; draw $x_i$; write it down.

*By hand*, with $W$ and $b$ from exercise 1:

| step | logit | probability of ink | say we draw |
|---|---|---|---|
| 1 | $0$ | 0.500 | 1 |
| 2 | $-1 + 2 \cdot \mathbf{1} = 1$ | 0.731 | 0 |
| 3 | $0.5 - 1 \cdot \mathbf{1} + 3 \cdot \mathbf{0} = -0.5$ | 0.378 | 1 |

All samples of a batch can be drawn side by side. What is *not yet* drawn may hold anything, since your logits do not look at it. Draw with the given generator only: then anybody can repeat your picture.

<details><summary>Hint 1</summary>

Start with `x = torch.zeros(count, n)` and fill column after column. Which column of `logits(x, weight, bias)` is right at step `i`, and which ones are not yet?
</details>
<details><summary>Hint 2</summary>

`torch.bernoulli(p, generator=generator)` draws a 0. or 1. for each entry of `p`.
</details>
"""

# %% tags=["demo"]
predict(
    "Somebody calls logits once, on zeros, and draws all three bits from the answer. Which probability of ink does step 2 get, where 0.731 is right?",
    ["0.731", "0.5", "0.269"],
    answer=lambda: [0.731, 0.5, 0.269].index(round(torch.tensor(-1.0).sigmoid().item(), 3)),
    why="Its logit is −1, as if pixel 1 had stayed white. Nobody hears what the others drew: coins again, dots without strokes.",
)


# %% exercise="sample"
def sample(weight, bias, count, generator):
    """Draws `count` examples from the model: bits as floats (count, n), in n steps.

    weight, bias: as for `logits`. All randomness comes from `generator`, a torch.Generator.
    """
    ### BEGIN SOLUTION
    x = torch.zeros(count, len(bias), device=bias.device)
    for i in range(len(bias)):
        p = torch.sigmoid(logits(x, weight, bias)[:, i])  # (count,)
        x[:, i] = torch.bernoulli(p, generator=generator)
    return x
    ### END SOLUTION


# %% check="sample" points=4
check(sample)


# %% tags=["demo"]
def draw_images(rows, alt, cmap="gray_r", top=1.0):
    """Draws a list of (name, images (k, 64)), one row of pictures each; name may be empty."""
    wide = len(rows[0][1])
    fig, axes = plt.subplots(len(rows), wide, figsize=(9, 9.4 * len(rows) / wide), squeeze=False)
    for line, (name, images) in zip(axes, rows, strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for ax, image in zip(line, images, strict=True):
            ax.imshow(image.reshape(8, 8), cmap=cmap, vmin=0, vmax=top)
            ax.set(xticks=[], yticks=[])
    show(fig, alt)


with solved("logits", "nll", "sample"):
    drawn = sample(model.weight.detach(), model.bias.detach(), 12, torch.Generator().manual_seed(5))
    noise = torch.bernoulli(frequency.expand(12, 64), generator=torch.Generator().manual_seed(6))
    draw_images(
        [("test set", digits.test[:12]), ("FVSBN", drawn), ("coins", noise)],
        "Three rows of twelve 8 by 8 images. Test set: digits. FVSBN: connected strokes, a few of them "
        "readable as a digit. Coins: scattered dots in the middle, no strokes.",
    )

# %% [markdown]
r"""
Strokes, and some of them make a digit. What votes can never say is shown at the end of this lesson; hidden units, which can, come in lesson 4.

## Exercise 4: finish what somebody began

`complete` · difficulty ●●○ · 10 minutes · 3 points

Back to the half digit. The first $k$ pixels are known; the rest is to be drawn from

$$p(x_{k+1}, \dots, x_n \mid x_1, \dots, x_k) = \prod_{i=k+1}^{n} p(x_i \mid x_{<i}).$$

No new mathematics: the first $k$ factors are done, since their bits are known, and sampling goes on from there.

*By hand*, with $W$, $b$ from above and the prefix $(1)$: start at step 2 of the table, with $p = 0.731$. With the prefix $(0)$: $\ell_2 = -1$, $p = 0.269$. With a prefix of all three: nothing to draw. With an empty one: `sample`.

<details><summary>Hint 1</summary>

How many of the pixels are given? `prefix.shape[1]`. Put them into `x` first; they are facts, and no step may draw them again.
</details>
<details><summary>Hint 2</summary>

It is `sample` with a loop that starts later. Work on a tensor of your own: the caller may still need `prefix`.
</details>
"""

# %% tags=["demo"]
predict(
    "You know the lower half and want the upper one. Can the same model do it by this rule?",
    ["yes: start the loop at the last pixel", "no: every factor looks back in the order"],
    answer=1,
    why="p(upper | lower) is no product of factors that we have. Bayes' rule holds, but its denominator is a sum over 2^32 upper halves. (Lesson 2 tries it by rejection; lesson 8 asks what other orders do.)",
)


# %% exercise="complete"
def complete(prefix, weight, bias, generator):
    """Draws the missing bits of each example, given its first k: floats (B, n).

    prefix: bits as floats (B, k), 0 ≤ k ≤ n; kept as it is. The rest comes from
    p(x_k+1 … x_n | x_1 … x_k), with all randomness from `generator`.
    """
    ### BEGIN SOLUTION
    count, known = prefix.shape
    x = torch.zeros(count, len(bias), device=bias.device)
    x[:, :known] = prefix
    for i in range(known, len(bias)):
        p = torch.sigmoid(logits(x, weight, bias)[:, i])
        x[:, i] = torch.bernoulli(p, generator=generator)
    return x
    ### END SOLUTION


# %% check="complete" points=3
check(complete)

# %% [markdown]
r"""
Six digits of the test set, cut after four rows. First the whole digit, then what the model was given, then ten ways to go on. What it was given is black, what it made up is lighter.
"""

# %% tags=["demo"]
with solved("logits", "nll", "complete"):
    shown, random = [], torch.Generator().manual_seed(2)
    for digit in digits.test[[34, 3, 10, 18, 29, 41]]:
        half = digit[:32].expand(10, 32)
        ways = complete(half, model.weight.detach(), model.bias.detach(), random)
        ways[:, 32:] *= 0.5  # lighter: drawn
        given = torch.cat([digit[:32], torch.full((32,), 0.08)])
        shown.append(("", torch.cat([digit[None], given[None], ways])))
    draw_images(
        shown,
        "Six rows of twelve 8 by 8 images: a digit, its upper half, and ten completions. The strokes of the "
        "upper half go on below the cut, often into a plausible digit, and not always the same one.",
    )

# %% [markdown]
r"""
One beginning, several endings. That is no defect: where the upper half fits a 3 and a 9, a good model should say both, as often as they come.

### Look at your own model

The widget from the beginning again, now with **your** `logits` and `complete`, and the trained weights. The pixel under the frame is asked; the pixels before it vote.

 1. Walk along a stroke with the arrow keys. Whose votes carry the decision?
 2. Take one pixel out of a stroke (space bar), and look what that does to the probabilities of the pixels *after* it. And to those before it?
 3. Draw the top of a 7 yourself, move the frame below it, and press *Draw this pixel* again and again (or hold the key d): one step of `sample` each time, with the votes for the next pixel lit before you draw it. Then *Complete*.
 4. Draw a checkerboard. What does it cost, in nats, against the 18 of a digit?
"""

# %% tags=["demo"]
with solved("logits", "nll"):
    explorer = CompletionExplorer.of(
        logits, complete, model.weight, model.bias, x=digits.test[34], cursor=32
    )
    display(explorer)

# %% [markdown]
r"""
## Two uses of a likelihood

A likelihood can **classify**. Train one FVSBN for each digit $y$, on its own images only. Bayes' rule turns ten likelihoods and the shares of the digits into an answer:

$$p(y \mid x) = \frac{p(y)\; p(x \mid y)}{\sum_{y'} p(y')\; p(x \mid y')}.$$

The denominator is a likelihood of its own, $p(x)$, of a mixture of ten models. It can also raise an alarm: an image that the model finds very improbable is an **anomaly**, or so it seems.
"""

# %% tags=["demo"] title="Ten FVSBNs and Bayes' rule"
with solved("logits", "nll"), torch.no_grad():
    costs = []
    for digit in tqdm(range(10), desc="one model a digit"):
        own = [
            images[labels == digit]
            for images, labels in (
                (digits.train, digits.train_labels),
                (digits.valid, digits.valid_labels),
            )
        ]
        with torch.enable_grad():
            expert = FVSBN(64)
            fit(expert, *own, epochs=100, batch_size=100, lr=2e-2, progress=False)
        costs.append(expert.nll(digits.test) - math.log(len(own[0]) / len(digits.train)))
    costs = torch.stack(costs, dim=1)  # −log p(y) p(x | y): (B, 10)
    right = (costs.argmin(1) == digits.test_labels).double().mean()
    mixture = -torch.logsumexp(-costs, 1).mean()
    print(f"{right:.1%} of {len(digits.test)} test digits get the right label; chance is 10 %")
    print(f"p(x) of the mixture: {mixture:.2f} nats; one FVSBN {model.nll(digits.test).mean():.2f}")

# %% tags=["demo"]
predict(
    "One FVSBN, trained on all digits, calls an image an anomaly if it costs more than 95 % of the test digits do. Which will it miss most often?",
    ["digits with their pixels shuffled", "empty images", "digits upside down"],
    answer=2,
    why="The cell below counts: it misses more than half of them, and none of the others.",
)

# %% tags=["demo"] title="What the alarm catches"
with solved("logits", "nll"), torch.no_grad():
    usual = model.nll(digits.test)
    limit = usual.quantile(0.95)
    mixed = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    likely = torch.zeros(1, 64)  # at every pixel, the likelier color
    for i in range(64):
        likely[:, i] = logits(likely, model.weight, model.bias)[:, i] > 0
    strange = {
        "pixels shuffled": digits.test[:, mixed],
        "empty": torch.zeros(1, 64),
        "upside down": digits.test.view(-1, 8, 8).flip(1).reshape(-1, 64),
        "the likelier color, pixel by pixel": likely,
    }
    print(f"an alarm above {limit:.1f} nats")
    for name, images in strange.items():
        nats = model.nll(images)
        print(
            f"{name:>34}: {nats.mean():6.1f} nats, alarm for {(nats > limit).float().mean():4.0%}"
        )
    cheaper = (usual < model.nll(likely)).sum()
    print(f"{cheaper} of {len(usual)} real digits cost less than the last of them")

# %% [markdown]
r"""
Nobody trained a classifier here, and 97 % of the digits get their label. The mixture is also the better density, by a nat, with ten times the numbers.

The alarm is weaker than it looks. It hears shuffled pixels every time. Of the upside-down digits it misses more than half. And the last image, a round 0 with the likelier color at every pixel, costs *less than all 300 real digits*: at every pixel
it pays the lower of two prices, as no digit of a person does. A low cost does not make an image typical. Large models fail in the same way: trained on photographs of ten kinds of things, they find house numbers, which they have never seen, more probable than new photographs of those things (Nalisnick et al., 2019).

## What no straight line can do

Three bits: the first two are fair coins, and the third is 1 if **exactly one** of them is: $x_3 = x_1 \oplus x_2$. Four equally likely words, 000, 011, 101, 110. Whoever knows the rule needs $2 \ln 2 = 1.386$ nats for a word.
"""

# %% tags=["demo"]
predict(
    "And the best FVSBN?",
    ["1.386: it learns the rule", "about 1.7: half of it", "2.079: as much as three coins"],
    answer=2,
    why="A logit is a weighted sum. The cell below trains it to the end.",
)

# %% tags=["demo"]
with solved("nll"):
    words = torch.tensor([[0.0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    weight = torch.randn(3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    bias = torch.randn(3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    optimizer = torch.optim.Adam([weight, bias], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        loss = nll(words, weight, bias).mean()
        loss.backward()
        optimizer.step()
    print(
        f"knowing the rule {2 * math.log(2):.4f} nats; best FVSBN {loss:.4f}; three coins {3 * math.log(2):.4f}"
    )
    print(
        f"p(x3 = 1 | 0, 0 / 0, 1 / 1, 0 / 1, 1) = {logits(words, weight, bias)[:, 2].sigmoid().tolist()}"
    )

# %% [markdown]
r"""
No better than three coins. A logit is a weighted sum: if $x_1 = 1$ raises it after $x_2 = 0$, it raises it by the same amount after $x_2 = 1$. "Exactly one of them" asks for the opposite. And since the loss is convex, no longer training will help: this *is* the valley.

## A question to answer in words

Think of the three bits above, $x_3 = x_1 \oplus x_2$.

 1. The chain rule is exact for every distribution. How can an FVSBN, which follows the chain rule, fail on three bits?
 2. Would another order of the variables help *here*?
 3. Name the smallest change to the model that would solve it, and say what happens to the number of parameters if you make that change for all pairs of $n$ variables.

A few sentences for each.
"""

# %% [markdown] question="exactly_one" points=2
r"""
### BEGIN SOLUTION
1. The chain rule says that $p(x)$ is a product of conditionals; it does not say that each conditional is a logistic regression. Here $p(x_3 \mid x_1, x_2)$ is 0, 1, 1, 0, and no $\sigma(b + w_1 x_1 + w_2 x_2)$ can follow
   that: the four points are not linearly separable. The factorization is exact, the family of factors is too small.
2. No. The rule is symmetric: each bit is the exclusive or of the other two, so in every order the last conditional is the same. (In general the order can matter for a family of factors.)
3. One more input for the last vote, the product $x_1 x_2$ (then $\ell_3 = c\,(2x_1 + 2x_2 - 4x_1x_2 - 1)$ with a large $c$), or a hidden layer of two units. With all products of pairs, pixel $i$ has about $i^2/2$ inputs and the model about
   $n^3/6$ weights: 64 pixels need about 44,000 in place of 2,080, 784 pixels 80 million. Sharing hidden units is cheaper: NADE, lesson 4.

Rubric: ½ point for "the factorization is exact, the form of each factor is a restriction". ½ point for not linearly separable, or an equivalent argument. ½ point for "no", with the symmetry as the reason. ½ point for a change that works (product, hidden units)
and its growth ($n^3$ for all pairs; hidden units cost what they cost).
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

An FVSBN is the chain rule with a logistic regression for each factor: $n(n+1)/2$ numbers, a convex loss, and probabilities that sum to 1 without a normalizing constant. The mask must hold on every call, and logs must be taken of logits: a model that peeks gets *better* numbers, not
worse ones. Evaluating a given picture takes one matrix product; drawing one takes $n$ steps, each of which needs the bits before it. What it cannot do is anything that its pixels would have to decide *together*.

## Go further

 - E. Nalisnick, A. Matsukawa, Y. W. Teh, D. Gorur, B. Lakshminarayanan (2019). *Do Deep Generative Models Know What They Don't Know?* ICLR. Why a likelihood is a poor alarm.
 - R. M. Neal (1992). *Connectionist learning of belief networks.* Artificial Intelligence 56. Sigmoid belief networks, with hidden units.
 - B. J. Frey, G. E. Hinton, P. Dayan (1996). *Does the wake-sleep algorithm produce good density estimators?* NIPS 8. The logistic autoregressive model as a baseline.
 - B. J. Frey (1998). *Graphical Models for Machine Learning and Digital Communication.* MIT Press.
 - Y. Bengio, S. Bengio (2000). *Modeling high-dimensional discrete data with multi-layer neural networks.* NIPS 12. The way from here to hidden units.
 - H. Larochelle, I. Murray (2011). *The Neural Autoregressive Distribution Estimator.* AISTATS. Where FVSBN is compared with NADE, which is the next lesson.

**Try:** start the training from large random weights. Does it end at the same number? Then give it a weight decay of 0.1: is the one valley still the best place to be, on test images?

**Try:** your `sample` computes all $n$ logits at each step and uses one. Write a version that computes only the one it needs, and count the multiplications of both.

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>Where does an FVSBN over n bits keep its n(n+1)/2 numbers?</summary>

$n$ biases, and $n(n-1)/2$ weights below the diagonal of $W$: row $i$ holds the votes of the pixels before $i$.
</details>
<details><summary>Why do the probabilities sum to 1 for any weights?</summary>

Each factor sums to 1 over its own bit and does not depend on later ones. Sum out the last bit, then the one before, and so on.
</details>
<details><summary>A colleague reports 0.01 nats an image. What do you ask?</summary>

Whether a pixel sees itself: is the diagonal masked, and on every call? Then the sum of all probabilities for a tiny $n$.
</details>
<details><summary>Another one trains on −log|x − p|, and samples with "1 where u > p". His samples look right. Why is that?</summary>

Both are turned around: his $p$ is the probability of a **zero**, in the loss and in the sampler. Two errors cancel. It breaks as soon as somebody reads $p$ as the probability of ink.
</details>
<details><summary>Why does training need one pass, and sampling n?</summary>

In training all bits are known, so all votes can be counted at once. In sampling the bits that vote are made one after the other.
</details>
<details><summary>Why can the model complete an upper half, but not a lower one?</summary>

Given the upper half, the factors that remain are factors of the model. Given the lower half, they would have to look forward.
</details>
"""

# %% [markdown]
r"""
## Appendix: at full size

What you trained above was cut to a laptop's seconds. Papers use **MNIST**: 50,000 images of 28×28 pixels. Where there is a CUDA card, the cell below trains **your** model on it, 15,000 steps in seconds. The pixels are black with probability v/255, drawn once with seed 0: not the papers' draw, so the last tenths do not compare. Validation images choose the epoch; the test set is opened once. Without a card you see a stored result, and whose it is.

`size` may also be `"gpu"` (the papers' size, however long it takes), `"laptop"` (the stored result) or `"smaller"`: yours, on this processor, in seconds.
"""


# %%
def make_full(setting, n):
    """The model over n bits, as large as the setting says."""
    return FVSBN(n)


def draw_full(model, count, generator):
    """`count` images, drawn from it."""
    return sample(model.weight.detach(), model.bias.detach(), count, generator)


# %% tags=["demo", "unfolded"]
size = "auto"
with solved("logits", "nll", "sample"):
    display(full_size.train("FVSBN", make_full, draw_full, size=size))
