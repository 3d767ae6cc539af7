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
#     name: 04_nade
#     title: "NADE: share the weights"
#     question: "Every pixel deserves a hidden layer of its own. Must 64 hidden layers cost 64 times as much as one?"
#     minutes: 90
#     prerequisites: [02_chain_rule, 03_fvsbn]
# ---

# %%
import itertools
import math
import time

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from IPython.display import display
from torch import nn

from autograder import check
from course import data, full_size
from course.demo import solved
from course.operations import count_launches, count_operations
from course.picture import show
from course.training import evaluate, fit
from figures.parameter_growth import ParameterGrowth
from figures.predict import predict
from figures.sharing import SharingExplorer

# %% [markdown]
r"""
## A hidden layer for each pixel

The chain rule asks for $n$ conditionals $p(x_i \mid x_{<i})$. A logistic regression for each of them (lesson 3) is a weighted vote of the pixels before, and there are simple things that no vote can say: "the third bit is 1 if *exactly one*
of the first two is". A network with a hidden layer can say it.

So give each pixel a network of its own, with $h$ hidden units that look at the pixels before:

$$h_i = \sigma\big(c_i + W_i\, x_{<i}\big), \qquad p(x_i = 1 \mid x_{<i}) = \sigma\big(b_i + V_{i\cdot}\, h_i\big).$$

$W_i$ has $h$ rows and $i - 1$ columns. For 784 pixels and 500 hidden units each that is 154 million numbers.
"""

# %% tags=["demo"]
predict(
    "And how many numbers are there if all 784 networks use the same W and c?",
    ["about 80 million, half as many", "about 8 million", "about 0.8 million"],
    answer=lambda: [77, 8, 1].index(round((500 * 784 + 500 + 784 * 500 + 784) / 10**6)),
    why=f"{500 * 784 + 500 + 784 * 500 + 784:,}, of which the two matrices W and V are 784,000.",
)

# %% [markdown]
r"""
Larochelle and Murray (2011) shared $W$ and $c$. There is **one** matrix $W$ with a column for each pixel. Step $i$ uses the columns of the pixels before it, and leaves out the others:

$$h_i = \sigma\Big(c + \sum_{j<i} W_{\cdot j}\, x_j\Big).$$

They called it the *neural autoregressive distribution estimator*, NADE. Below are six bits with four hidden units. Each step has its lane: the bit $x_i$ at the bottom, column $i$ of $W$ above it (filled squares are positive,
hollow ones negative), the hidden vector $h_i$, row $i$ of $V$, and the probability of a 1 at the top.

 1. Go through the steps with ← and →, or press *Play*. Which columns does step 4 use? And step 5?
 2. Point at a bit (or press ↓), and follow its column. How often is it used?
 3. One column is never used. Why that one?
"""

# %% tags=["demo"]
shapes = {"W": (4, 6), "c": (4,), "V": (6, 4), "b": (6,)}
random = torch.Generator().manual_seed(4)
small = {name: 1.5 * torch.randn(shape, generator=random) for name, shape in shapes.items()}
SharingExplorer(**small, x=[1, 0, 1, 1, 0, 1], step=4)

# %% [markdown]
r"""
<details><summary>Answers</summary>

1. Step 4 uses the columns 1, 2, 3; step 5 uses 1, 2, 3, 4: the same three, and one more. Keep that in mind for exercise 2.
2. Column $j$ is used by all steps after $j$: $n - j$ times. In training it learns from all of them.
3. The last one: no step comes after $x_6$.
</details>
"""

# %% tags=["demo"]
for n, h in ((3, 2), (64, 128), (784, 500)):
    apart = sum(h * (i - 1) + h + h + 1 for i in range(1, n + 1))  # W_i, c_i, V_i and b_i
    shared = {3: 17, 64: 16_576, 784: 785_284}[n]  # you will count them in a later exercise
    print(f"n = {n:3}, h = {h:3}: networks apart {apart:>11,} numbers, W and c shared {shared:>7,}")

# %% [markdown]
r"""
154 million against 785,284: about 200 times fewer. For MNIST, which has 784 pixels, 154 million are about 3,000 numbers for each of 50,000 training images (10,000 more are kept for validation).

Everything else you know already: a logit for each pixel, and the negative log-likelihood is the sum of $\log(1 + e^{\ell_i}) - x_i \ell_i$. Now build it.
"""

# %% [markdown]
r"""
## Exercise 1: as the formula says

`nade_naive` · difficulty ●●○ · 10 minutes · 3 points

First without any cleverness: for each $i$, sum the columns before it, add $c$, take the sigmoid, and let row $i$ of $V$ vote:

$$h_i = \sigma\big(W_{\cdot,<i}\; x_{<i} + c\big), \qquad \ell_i = b_i + V_{i\cdot}\, h_i.$$

$W_{\cdot,<i}$ are the first $i-1$ columns. At $i = 1$ there is none of them, and $h_1 = \sigma(c)$.

*By hand.* Three bits, two hidden units:

$$
W = \begin{pmatrix} 1 & -2 & 5 \\ 0 & 3 & 7 \end{pmatrix},\;
c = \begin{pmatrix} 0 \\ -1 \end{pmatrix},\;
V = \begin{pmatrix} 1 & 1 \\ 2 & 0 \\ -1 & 1 \end{pmatrix},\;
b = \begin{pmatrix} 0 \\ -1 \\ 0.5 \end{pmatrix},\;
x = \begin{pmatrix} 1 \\ 0 \\ 1 \end{pmatrix}
$$

| $i$ | $c + \sum_{j<i} W_{\cdot j} x_j$ | $h_i$ | $\ell_i = b_i + V_{i\cdot} h_i$ |
|---|---|---|---|
| 1 | $(0, -1)$ | $(0.5000,\ 0.2689)$ | $0 + 0.5000 + 0.2689 = 0.7689$ |
| 2 | $(0 + 1,\ -1 + 0) = (1, -1)$ | $(0.7311,\ 0.2689)$ | $-1 + 2 \cdot 0.7311 = 0.4621$ |
| 3 | $(1, -1)$, since $x_2 = 0$ | $(0.7311,\ 0.2689)$ | $0.5 - 0.7311 + 0.2689 = 0.0379$ |

The 5 and the 7 did not appear. That is right.

<details><summary>Hint 1</summary>

Write it for one step first. With the batch in rows, `x[:, :i]` has shape `(B, i)`, and `W[:, :i]` has shape `(h, i)`. Which of the two has to be transposed for a product `(B, h)`? Empty slices are welcome: a product over
nothing is 0.
</details>
<details><summary>Hint 2</summary>

Collect the logits of the steps in a list; `torch.stack(list, dim=1)` turns them into the columns of the answer.
</details>
"""

# %% tags=["demo"]
predict(
    "In Python, pixels count from 0. Which columns does step i take?",
    ["W[:, :i]", "W[:, :i + 1]"],
    answer=0,
    why="A slice leaves its end out: the columns 0 … i − 1 come before i. With i + 1 the step would see the bit that it is about to predict.",
)


# %% exercise="nade_naive"
def nade_naive(x, W, c, V, b):
    """The logits of NADE, every step computed from the start: (B, n).

    x: bits as floats (B, n). W: (h, n), c: (h,), V: (n, h), b: (n,).
    """
    ### BEGIN SOLUTION
    logits = []
    for i in range(len(b)):
        hidden = torch.sigmoid(x[:, :i] @ W[:, :i].T + c)  # (B, h)
        logits.append(hidden @ V[i] + b[i])
    return torch.stack(logits, dim=1)  # (B, n)
    ### END SOLUTION


# %% check="nade_naive" points=3
check(nade_naive)

# %% [markdown]
r"""
### Is that so?

> "NADE uses a shared matrix $W$, of which it takes the first columns."

The sentence says too little: *how many* of them? Suppose somebody reads it as "the first $i$". The cell asks all 256 words of 8 bits under both readings.
"""

# %% tags=["demo"]
predict(
    "With the first i − 1 columns, and with the first i: what do the 256 'probabilities' sum to?",
    ["1 and 1", "1 and something else", "both to something else"],
    answer=1,
    why="One column more, and output i sees x_i. The cell below adds them up.",
)

# %% tags=["demo"]
every = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 8)  # (256, 8)


def nats(logits, x):
    """−log p of each example, if these logits may be read as conditionals: (B,)."""
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)


with solved("nade_naive"):
    random = torch.Generator().manual_seed(2)
    W, c, V, b = (2 * torch.randn(s, generator=random) for s in ((5, 8), (5,), (8, 5), (8,)))
    right = nade_naive(every, W, c, V, b)
    # One column more for each step: shift all steps by one, behind a step that is thrown away.
    padded = F.pad(every, (0, 1)), F.pad(W, (0, 1)), c, F.pad(V, (0, 0, 1, 0)), F.pad(b, (1, 0))
    wrong = nade_naive(*padded)[:, 1:]
    for reading, logits in (("i − 1", right), ("i", wrong)):
        total = nats(logits, every).neg().exp().sum()
        print(f"the first {reading:>5} columns: 256 'probabilities' that sum to {total:.6f}")

# %% [markdown]
r"""
With the first $i - 1$ columns it is a distribution, for any numbers in $W$; with one more it is none.

## Exercise 2: carry the sum along

`nade` · difficulty ●●○ · 12 minutes · 4 points

Look at the table of exercise 1 again. Step 3 sums column 1 and column 2; step 2 had summed column 1 already. Let $a_i = c + \sum_{j<i} W_{\cdot j}\,x_j$ be what goes into the sigmoid. Then

$$a_1 = c, \qquad a_{i+1} = a_i + W_{\cdot i}\, x_i.$$

One column a step. In multiply-adds with $W$:

| | step $i$ | all $n$ steps | $n = 784$, $h = 500$ |
|---|---|---|---|
| summed anew | $h\,(i-1)$ | $h\,n(n-1)/2$, that is $O(n^2 h)$ | 153,468,000 |
| carried along | $h$ | $h\,(n-1)$, that is $O(nh)$ | 391,500 |

*By hand*, the same example: $a_1 = (0, -1)$. Predict with it, **then** add column 1 times $x_1 = 1$: $a_2 = (1, -1)$. Predict, then add column 2 times $x_2 = 0$: $a_3 = (1, -1)$. Predict. Done; column 3 need not be added to anything.

And mind what is carried: the sum $a_i$, not $h_i = \sigma(a_i)$. A column added to a sigmoid is another model.

<details><summary>Hint 1</summary>

Keep one tensor `a` of shape `(B, h)` and go through the steps once. What does it hold before the first step? (`c.expand(B, -1)` repeats a vector without copying.)
</details>
<details><summary>Hint 2</summary>

For a batch, $W_{\cdot i}\,x_i$ is an outer product: the bits as a column `x[:, i:i + 1]`, shape `(B, 1)`, times the weights `W[:, i]`, shape `(h,)`. Prefer `a = a + …` to `a += …`: an expanded tensor cannot be written to.
</details>
"""

# %% tags=["demo"]
predict(
    "Somebody adds column i BEFORE predicting x_i. What does the model become?",
    [
        "the same model: a sum has no order",
        "one that misses its closest neighbor",
        "one whose outputs see their own bit",
    ],
    answer=2,
    why="These are the 'first i columns' of the box above. The values do not look suspicious, and the training loss looks wonderful.",
)


# %% exercise="nade"
def nade(x, W, c, V, b):
    """The same logits as `nade_naive`, (B, n), in one sweep of O(n h) operations."""
    ### BEGIN SOLUTION
    a, logits = c.expand(len(x), -1), []  # (B, h)
    for i in range(len(b)):
        logits.append(torch.sigmoid(a) @ V[i] + b[i])
        a = a + x[:, i : i + 1] * W[:, i]
    return torch.stack(logits, dim=1)  # (B, n)
    ### END SOLUTION


# %% check="nade" points=4
check(nade)

# %% [markdown]
r"""
A clock would measure this machine, and whatever else it is doing. So we **count**: `count_operations` adds up the multiply-adds of all products, and the numbers that everything else writes.
"""


# %% tags=["demo"]
def cost(function, n, h=32):
    """Operations of one example with n variables."""
    return count_operations(
        function, torch.ones(1, n), torch.ones(h, n), torch.ones(h), torch.ones(n, h), torch.ones(n)
    )


# %% tags=["demo"]
predict(
    "n doubles. By which factors do the operations of nade_naive and nade grow?",
    ["both by 2", "towards 4 and towards 2", "both by 4"],
    answer=lambda: [(2, 2), (4, 2), (4, 4)].index(
        tuple(round(cost(f, 256) / cost(f, 128)) for f in (nade_naive, nade))
    ),
    why="Step i sums i − 1 columns anew, or adds one; the cell below counts both.",
)

# %% tags=["demo"] title="Operations, counted"
with solved("nade_naive", "nade"):
    sizes = [8, 16, 32, 64, 128, 256]
    fig, ax = plt.subplots(figsize=(6, 3.4), constrained_layout=True)
    looks = (("o", "#D55E00"), ("s", "#0072B2"))  # Okabe and Ito's colors
    for function, (marker, color) in zip((nade_naive, nade), looks, strict=True):
        counts = [cost(function, n) for n in sizes]
        ax.loglog(sizes, counts, marker=marker, color=color, label=function.__name__)
        growth = ", ".join(f"{b / a:.2f}" for a, b in itertools.pairwise(counts))
        print(
            f"{function.__name__:>10}: {counts[-1]:>9,} at n = {sizes[-1]}; from size to size × {growth}"
        )
    ax.set(xlabel="variables n", ylabel="operations", xticks=sizes, xticklabels=sizes)
    ax.legend()
    show(
        fig,
        "Operations against n on logarithmic axes. The naive line gets as steep as n squared; the sweep is a straight line of slope one below it.",
    )

# %% [markdown]
r"""
Towards 4 and towards 2: quadratic, and linear. At 256 bits the same numbers cost over thirty times as much when they are summed anew.

### Look at your own NADE

The picture from the beginning, now with the logits of **your** `nade`. Press *Sum anew*, then *Play*; then *Carry the sum*, and *Play* again: one column flies into each sum in place of all the columns before. The numbers do not change, the work does: the two bars count it. If an output sees what it should not, the picture will say so.
"""

# %% tags=["demo"]
SharingExplorer.of(nade, **small, x=[1, 0, 1, 1, 0, 1], step=4)

# %% [markdown]
r"""
### Exactly one of two

The three bits that no FVSBN can learn: 000, 011, 101, 110, equally likely. Whoever knows the rule needs $2 \ln 2 = 1.386$ nats, three coins need $3 \ln 2 = 2.079$, and that is where an FVSBN stays. Now NADE with four hidden units, from five random starts.
"""

# %% tags=["demo"]
predict(
    "How close does training bring NADE to 1.386 nats?",
    ["from every start", "from some starts", "from no start"],
    answer=1,
    why="The second cell below trains it five times.",
)


# %%
class NADE(nn.Module):
    """The numbers of a NADE over n bits, small and random at the start."""

    def __init__(self, n, hidden, generator=None):
        super().__init__()
        self.n = n
        self.W = nn.Parameter(0.05 * torch.randn(hidden, n, generator=generator))
        self.c = nn.Parameter(torch.zeros(hidden))
        self.V = nn.Parameter(0.05 * torch.randn(n, hidden, generator=generator))
        self.b = nn.Parameter(torch.zeros(n))

    def numbers(self):
        """W, c, V, b, without their gradients."""
        return [p.detach() for p in (self.W, self.c, self.V, self.b)]

    def forward(self, x):
        """Bits (B, n) → logits (B, n)."""
        return nade(x, self.W, self.c, self.V, self.b)

    def nll(self, x):
        """−log p(x) in nats, (B,)."""
        return F.binary_cross_entropy_with_logits(self(x), x, reduction="none").sum(dim=1)


# %% tags=["demo"]
with solved("nade"):
    words = torch.tensor([[0.0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    for start in range(5):
        tiny = NADE(3, 4, torch.Generator().manual_seed(start))
        optimizer = torch.optim.Adam(tiny.parameters(), lr=0.1)
        for _ in range(400):
            optimizer.zero_grad()
            loss = tiny.nll(words).mean()
            loss.backward()
            optimizer.step()
        third = ", ".join(f"{p:.3f}" for p in tiny(words)[:, 2].sigmoid())
        print(f"start {start}: {loss:.3f} nats; p(x3 = 1) after 00, 01, 10, 11: {third}")

# %% [markdown]
r"""
Solved, from *some* starts: almost down to 1.386 nats, and 0, 1, 1, 0 for the third bit. From others the training ends in a ditch (a *local minimum*) at 1.733 nats, where two of the four words are told apart and two are not. That is the price of hidden units: an FVSBN has one valley (its loss is convex, lesson 3), a network with
hidden units can have many, and here you saw two.
"""

# %% [markdown]
r"""
## Digits: numbers to beat

1,297 digits of 8×8 pixels to train on, 200 to choose the best epoch, 300 to test. Coins with each pixel's own frequency need 25.20 nats an image, an FVSBN about 18.4. Now your NADE, with 128 hidden units. (Weight decay, `weight_decay` below, shrinks every weight a little at each step.)
"""

# %% tags=["demo"]
predict(
    "Where does NADE end, in nats an image on the test set?",
    ["near 18.4, with the FVSBN", "near 17", "near 12"],
    answer=1,
    why="The cell below trains it, and prints the number.",
)

# %%
digits = data.digits()

# %% tags=["demo"]
with solved("nade"):
    trained = NADE(64, 128, torch.Generator().manual_seed(0))
    before, _ = evaluate(trained, digits.test)
    print(f"before training {before:.2f} nats")
    budget = {"epochs": 40, "batch_size": 32, "lr": 2e-2, "weight_decay": 0.1}
    display(fit(trained, digits.train, digits.valid, **budget))
    model = trained  # what the cells below show
    mean, error = evaluate(model, digits.test)
    print(
        f"coins 25.20, FVSBN 18.4; NADE {mean:.2f} ± {error:.2f} nats (standard error over images)"
    )

# %% [markdown]
r"""
About 1.6 nats better than the FVSBN. A hidden unit $k$ looks at the pixels through row $k$ of $W$: a picture of 8×8 weights. Here are the 18 with the largest ones.
The last pixel, at the lower right, is pale in all of them.
"""

# %% tags=["demo"]
predict(
    "Why is the last pixel pale in every picture?",
    ["no digit has ink there", "no step uses its column", "it has had the fewest training steps"],
    answer=1,
    why="Column 64 is never used: its gradient is 0, so it never leaves its small beginning, and weight decay shrinks even that. The cell below prints gradients, and in how many images the pixel is black.",
)


# %% tags=["demo"]
def draw_images(rows, alt, cmap="gray_r", low=0.0, high=1.0):
    """Draws a list of (name, images (k, 64)), one row of pictures each; a name may be empty."""
    wide = len(rows[0][1])
    fig, axes = plt.subplots(len(rows), wide, figsize=(9, 9.4 * len(rows) / wide), squeeze=False)
    for line, (name, images) in zip(axes, rows, strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for ax, image in zip(line, images, strict=True):
            ax.imshow(image.reshape(8, 8), cmap=cmap, vmin=low, vmax=high)
            ax.set(xticks=[], yticks=[])
    show(fig, alt)


with solved("nade"):
    W = model.W.detach()
    loudest = W[W.norm(dim=1).argsort(descending=True)[:18]]
    draw_images(
        [("", loudest[:9]), ("", loudest[9:])],
        "Eighteen 8 by 8 maps of weights, purple for positive and orange for negative. The strong ones are "
        "mostly orange and come in clumps, different in each. The last pixel is pale in all.",
        cmap="PuOr",
        low=-4,
        high=4,
    )
    ink, size = digits.train.sum(0), W.norm(dim=0)
    model.nll(digits.train).mean().backward()
    slope = model.W.grad.norm(dim=0)
    model.zero_grad()
    for name, j in {
        "8, at the upper right": 7,
        "64, the last": 63,
        "57, at the left border": 56,
    }.items():
        print(
            f"pixel {name}: ink in {ink[j]:.0f} of {len(digits.train):,} images, "
            f"column {size[j]:.3f}, gradient {slope[j]:.1e}"
        )

# %% [markdown]
r"""
The left border is pale for another reason: all but one of the images have no ink there, and where $x_j = 0$ the gradient of column $j$ is 0 as well.

Orange weights switch a unit *off*. The strong ones come in clumps: ink in such a place turns the unit off. All pixels that come later may listen to it, and each of them trains it.

## Exercise 3: one sweep that draws

`sample` · difficulty ●●○ · 12 minutes · 4 points

The model draws $x_1$, then $x_2$ given $x_1$, and so on. The easy way is to call `nade` at each step and use one of its $n$ logits. But what does step $i+1$ need to know of the past? Only $a_{i+1}$, and that is $a_i$ plus one column:

> $a \leftarrow c$; for $i = 1, \dots, n$: predict from $\sigma(a)$, **draw** $x_i$, add $W_{\cdot i}\,x_i$ to $a$.

The same sweep as in exercise 2, with the drawn bit in the place of the given one. A sample costs what a likelihood costs: $O(nh)$.

*By hand*, with the numbers of exercise 1: $\sigma(\ell_1) = \sigma(0.7689) = 0.683$; say we draw 1. Then $a = (1, -1)$ and $\sigma(\ell_2) = \sigma(0.4621) = 0.614$; say we draw 0. Then $a = (1, -1)$ still, and $\sigma(\ell_3) = \sigma(0.0379) = 0.509$.

<details><summary>Hint 1</summary>

Copy your sweep, and look where it reads `x`. Which bit has to be drawn before that line?
</details>
<details><summary>Hint 2</summary>

`torch.bernoulli(p, generator=generator)` draws a 0. or 1. for each entry of `p`, here of shape `(count,)`. The outer product wants it as `(count, 1)`: `bit[:, None]`.
</details>
"""

# %% tags=["demo"]
predict(
    "The easy way calls nade at each of the n steps and uses one logit. Of which order is that?",
    ["O(nh), like the sweep", "O(n²h)", "O(n³h)"],
    answer=1,
    why="n calls of O(nh): the square of n again, though each call is the fast one. The cell below your check counts both.",
)


# %% exercise="sample"
def sample(W, c, V, b, count, generator):
    """Draws `count` examples from the model, in one sweep: bits as floats (count, n).

    O(n h) operations for each example. All randomness comes from `generator`, a torch.Generator.
    """
    ### BEGIN SOLUTION
    a, bits = c.expand(count, -1), []  # (count, h)
    for i in range(len(b)):
        p = torch.sigmoid(torch.sigmoid(a) @ V[i] + b[i])  # (count,)
        bits.append(torch.bernoulli(p, generator=generator))
        a = a + bits[i][:, None] * W[:, i]
    return torch.stack(bits, dim=1)
    ### END SOLUTION


# %% check="sample" points=4
check(sample)

# %% tags=["demo"]
with solved("nade", "sample"):
    drawn = sample(*model.numbers(), 12, torch.Generator().manual_seed(5))
    draw_images(
        [("test set", digits.test[:12]), ("NADE", drawn)],
        "Two rows of twelve 8 by 8 images. Test set: digits. NADE: connected strokes, more than half of "
        "them readable as a digit.",
    )
    once = count_operations(sample, *model.numbers(), 1, torch.Generator())
    many = 64 * count_operations(nade, torch.zeros(1, 64), *model.numbers())
    print(
        f"one sample: {once:,} operations in your sweep; {many:,} with a call of nade for each pixel"
    )

# %% [markdown]
r"""
## Exercise 4: what about an autoencoder?

`autoencoder_dependencies` · difficulty ●●○ · 10 minutes · 3 points

NADE looks much like an **autoencoder**: bits in, a hidden layer, $n$ logits out. An autoencoder computes *one* hidden vector from all the bits, $h = \sigma(Wx + c)$, and is trained with the same loss. Why, then, is one of them a
distribution and the other not? Look at what each output can *see*.

Write a function that finds out, for any model that takes bits `(B, n)` and gives logits `(B, n)`:

$$D_{ij} = 1 \quad\text{if there is an } x \text{ such that turning } x_j \text{ around changes output } i.$$

For a small `model.n` there is no need to guess: try **all** $2^n$ vectors.

*By hand*, $n = 2$. A model answers $\ell_1 = 0.3$ and $\ell_2 = 5\,x_1 x_2$:

| $x$ | $\ell_1$ | $\ell_2$ | after turning $x_1$: $\ell_2$ | after turning $x_2$: $\ell_2$ |
|---|---|---|---|---|
| 00 | 0.3 | 0 | 0 | 0 |
| 01 | 0.3 | 0 | **5** | 0 |
| 10 | 0.3 | 0 | 0 | **5** |
| 11 | 0.3 | 5 | **0** | **0** |

So $D = \begin{pmatrix} 0 & 0 \\ 1 & 1 \end{pmatrix}$: output 2 sees input 2, itself.

<details><summary>Hint 1</summary>

`torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * n)` lists all vectors, `(2**n, n)`. Ask the model once for all of them, and once more for each $j$, with column $j$ turned around: `1 - x`.
</details>
<details><summary>Hint 2</summary>

Two answers `(2**n, n)` compared with `!=` are true wherever an output changed. Did output $i$ change *anywhere*? `.any(dim=0)`. That is one column of $D$.
</details>
"""

# %% tags=["demo"]
predict(
    "What would you have found by trying x = 00 only?",
    ["the same D", "nothing at all: no output changes", "that output 2 sees input 1 only"],
    answer=lambda: int(5 * 1 * 0 == 5 * 0 * 1 == 5 * 0 * 0),
    why="Neither bit alone changes 5 x₁ x₂ there, and both its derivatives are 0: gradients miss the leak as well. Turning bits on all vectors misses nothing.",
)


# %% exercise="autoencoder_dependencies"
def autoencoder_dependencies(model):
    """Which output sees which input: bools, or zeros and ones, (n, n); row i for output i, column j for input j.

    model: takes bits (B, n) and returns logits (B, n); `model.n` is n ≥ 2, small. D[i, j] is true if turning
    x_j around changes output i at one of the 2^n vectors, at least.
    """
    ### BEGIN SOLUTION
    every = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * model.n)  # (2^n, n)
    before, columns = model(every), []
    for j in range(model.n):
        turned = every.clone()
        turned[:, j] = 1 - turned[:, j]
        columns.append((model(turned) != before).any(dim=0))  # (n,)
    return torch.stack(columns, dim=1)
    ### END SOLUTION


# %% check="autoencoder_dependencies" points=3
check(autoencoder_dependencies)

# %% [markdown]
r"""
Now the comparison. Both models are trained on row 4 of each digit, 8 pixels, with 16 hidden units and the same loss. We ask for their dependencies, and for the sum of all 256 "probabilities".
"""

# %% tags=["demo"]
predict(
    "Which of the two reaches the lower loss?",
    ["NADE", "the autoencoder"],
    answer=1,
    why="It may look at what it predicts.",
)


# %%
class Autoencoder(nn.Module):
    """Bits → one hidden vector → logits: every output may see every input."""

    def __init__(self, n, hidden, generator=None):
        super().__init__()
        self.n = n
        self.W = nn.Parameter(0.05 * torch.randn(hidden, n, generator=generator))
        self.c = nn.Parameter(torch.zeros(hidden))
        self.V = nn.Parameter(0.05 * torch.randn(n, hidden, generator=generator))
        self.b = nn.Parameter(torch.zeros(n))

    def forward(self, x):
        return torch.sigmoid(x @ self.W.T + self.c) @ self.V.T + self.b

    def nll(self, x):
        """What would be −log p(x), if the outputs were conditionals."""
        return F.binary_cross_entropy_with_logits(self(x), x, reduction="none").sum(dim=1)


# %% tags=["demo"]
with solved("nade", "autoencoder_dependencies"):
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2), constrained_layout=True)
    for ax, kind in zip(axes, (Autoencoder, NADE), strict=True):
        one = kind(8, 16, torch.Generator().manual_seed(0))
        sees = autoencoder_dependencies(one)
        row = slice(24, 32)
        fit(one, digits.train[:, row], digits.valid[:, row], epochs=30, lr=3e-2, progress=False)
        loss, _ = evaluate(one, digits.test[:, row])
        total = one.nll(every).neg().exp().sum()
        print(
            f"{kind.__name__:>11}: {loss:6.3f} nats a row; 256 'probabilities' that sum to {total:.4f}"
        )
        ax.imshow(sees, cmap="cividis", vmin=0, vmax=1)
        ax.set(
            title=kind.__name__,
            xlabel="input j",
            ylabel="output i",
            xticks=range(8),
            yticks=range(8),
        )
        ax.set(xticklabels=range(1, 9), yticklabels=range(1, 9))
    show(
        fig,
        "Two 8 by 8 maps, bright where an output sees an input. Autoencoder: bright everywhere. NADE: bright below the diagonal only.",
    )

# %% [markdown]
r"""
The autoencoder has learned to copy its input, and has no probability to give: its numbers sum to far more than 1, so that a low loss means nothing. It cannot be sampled from either: to draw $x_1$ it would have to know $x_1$. NADE needs about three nats for the same
row, and its 256 probabilities sum to 1.

## Exercise 5: what does it cost?

`nade_parameters` · difficulty ●○○ · 4 minutes · 2 points

NADE stores four arrays, and nothing else. With $h$ hidden units:

| array | shape | for $n = 3,\ h = 2$ |
|---|---|---|
| $W$ | $h \times n$ | 6 |
| $c$ | $h$ | 2 |
| $V$ | $n \times h$ | 6 |
| $b$ | $n$ | 3 |
| | | **17** |

*A convention.* No step ever uses the last column of $W$. We count the arrays **as they are stored**, the last column too. At $n = 3$ NADE needs more numbers than the table, which has 7: a formula pays off when $n$ is large.

<details><summary>Hint 1</summary>

Four arrays, four terms. Two of the terms are equal.
</details>
<details><summary>Hint 2</summary>

Check with the last line of the table: two hidden units, three variables.
</details>
"""


# %% exercise="nade_parameters"
def nade_parameters(n, hidden):
    """Numbers that a NADE over n binary variables with `hidden` units stores: W, c, V and b.

    Returns an int.
    """
    ### BEGIN SOLUTION
    return 2 * n * hidden + hidden + n
    ### END SOLUTION


# %% check="nade_parameters" points=2
check(nade_parameters)

# %% [markdown]
r"""
> **Is that so?** "NADE dramatically reduces the parameters of an FVSBN, from $O(n^2)$ to $O(n)$."
"""


# %% tags=["demo"]
def fvsbn_parameters(n):
    """Lesson 1: a bias and i − 1 weights for pixel i."""
    return n * (n + 1) // 2


predict(
    "MNIST has 784 pixels. With 500 hidden units, which of the two has more numbers?",
    ["FVSBN, by far", "they are about equal", "NADE, by far"],
    answer=lambda: int(nade_parameters(784, 500) > fvsbn_parameters(784)) * 2,
    why=lambda: f"FVSBN {fvsbn_parameters(784):,}, NADE {nade_parameters(784, 500):,}.",
)

# %% tags=["demo"] title="Where the two counts cross"
with solved("nade_parameters"):
    first = next(n for n in range(1, 10_000) if fvsbn_parameters(n) > nade_parameters(n, 500))
    for n in (64, 784, first - 1, first, 10_000):
        print(f"n = {n:>6,}: FVSBN {fvsbn_parameters(n):>10,}, NADE {nade_parameters(n, 500):>10,}")

# %% [markdown]
r"""
At 784 NADE has **more than twice** the numbers of an FVSBN: 785,284 against 307,720. Linear growth wins in the end, here from $n = 2002$ on. On our digits it is 16,576 against 2,080, and the test NLL is *better*.

Your function over $n$, beside the counts of lesson 1. Change $h$ and watch where the circle goes. (It should go to $4h + 2$.)

<details><summary>Why 4h + 2?</summary>

FVSBN is larger when $\tfrac{n(n+1)}{2} > 2nh + h + n$, that is $n^2 - (4h + 1)\,n - 2h > 0$. The positive root lies between $4h + 1$ and $4h + 2$, so the first whole $n$ is $4h + 2$, for every $h \ge 1$.
</details>
"""


# %% tags=["demo"] title="Four counts over n"
def table_parameters(cardinalities):
    """Lesson 1: one number for each joint value, less one."""
    return math.prod(cardinalities) - 1


def bayes_net_parameters(cardinalities, parents):
    """Lesson 1: k − 1 numbers for each combination of the parents' values."""
    rows = [math.prod(cardinalities[j] for j in row) for row in parents]
    return sum((k - 1) * count for k, count in zip(cardinalities, rows, strict=True))


ParameterGrowth(table_parameters, bayes_net_parameters, fvsbn_parameters, nade_parameters)

# %% [markdown]
r"""
> "NADE uses masked weight matrices."

No mask anywhere in your code: that is MADE, the next lesson, which puts a cell beside this sentence to settle it.

## Is it better *because* it shares?

It would be a fine story: a hidden unit that has learned what a stroke looks like serves all later pixels, so NADE beats the FVSBN. But a "because" wants a **control**: the same hidden units, with nothing shared. That is the model of the first cell, a network for each pixel. We train it as NADE was trained,
with 16 and with 128 units for each pixel; and a NADE with 16 units, which has about as many numbers as an FVSBN.
"""

# %% tags=["demo"]
predict(
    "128 hidden units each: networks apart (274,496 numbers for 1,297 images) against NADE (16,576). Who has the lower test NLL?",
    ["NADE, by a nat or more", "about equal", "networks apart, by a nat or more"],
    answer=1,
    why="The second cell below trains them, and two smaller ones.",
)


# %%
class NetworksApart(nn.Module):
    """A hidden layer for each of n bits, each with numbers of its own."""

    def __init__(self, n, hidden, generator=None):
        super().__init__()
        self.n, self.hidden = n, hidden
        self.W = nn.Parameter(0.05 * torch.randn(n, hidden, n, generator=generator))
        self.c = nn.Parameter(torch.zeros(n, hidden))
        self.V = nn.Parameter(0.05 * torch.randn(n, hidden, generator=generator))
        self.b = nn.Parameter(torch.zeros(n))
        self.register_buffer("before", torch.ones(n, n).tril(-1)[:, None, :])  # 1 where j < i

    def forward(self, x):
        weights = (self.W * self.before).reshape(-1, self.n)  # (n h, n)
        a = (x @ weights.T).view(len(x), self.n, self.hidden) + self.c
        return (torch.sigmoid(a) * self.V).sum(dim=2) + self.b

    def nll(self, x):
        """−log p(x) in nats, (B,)."""
        return F.binary_cross_entropy_with_logits(self(x), x, reduction="none").sum(dim=1)

    def count(self):
        """How many numbers it has: of W those that are used."""
        return sum(p.numel() for p in (self.c, self.V, self.b)) + int(
            self.before.sum() * self.hidden
        )


# %% tags=["demo"]
with solved("nade"):
    controls = {}
    for kind, hidden in ((NetworksApart, 16), (NetworksApart, 128), (NADE, 16)):
        one = kind(64, hidden, torch.Generator().manual_seed(0))
        fit(one, digits.train, digits.valid, progress=False, **budget)
        controls[kind.__name__, hidden] = (
            one,
            evaluate(one, digits.valid),
            evaluate(one, digits.test),
        )
    controls["NADE", 128] = model, evaluate(model, digits.valid), evaluate(model, digits.test)
    print("FVSBN (lesson 3)               2,080 numbers                    test about 18.4 nats")
    for (name, hidden), (one, (valid, _), (nats_of_test, error)) in controls.items():
        count = one.count() if name == "NetworksApart" else sum(map(torch.numel, one.parameters()))
        print(
            f"{name:13} {hidden:>3} units   {count:>9,} numbers   validation {valid:.2f}   "
            f"test {nats_of_test:.2f} ± {error:.2f} nats"
        )

# %% [markdown]
r"""
The story does not stand. With 128 units the networks apart are as good as NADE (the difference is a small part of the standard error), and 274,496 numbers do them no harm that one could see here, with the best epoch chosen on validation images and with weight decay (all four had both, so the table does not say what these two do). With 16 units they are *ahead* by more than a nat: sharing is a restriction, and there it
costs something. And a NADE with about the numbers of an FVSBN is no better than it. So what beats the FVSBN is not the sharing: it is hidden units, enough of them.

What sharing buys is the **price**. 16,576 numbers do the work of 274,496, and one column a step does the work of all columns: $O(nh)$ instead of $O(n^2h)$, at nearly the same likelihood. On 784 pixels this is the difference between 785,284 numbers and 154 million.

## Exercise 6: all steps at once

`nade_scan` · difficulty ●●○ · 8 minutes · 3 points

Your sweep takes few operations, and takes them **one after the other**: at 784 bits a machine with thousands of arithmetic units waits 784 times for a few of them. In training nothing has to wait. All of $x$ is known, so all terms $x_j W_{\cdot j}$ are, and

$$a_i = c + S_{i-1}, \qquad S_i = \sum_{j \le i} x_j W_{\cdot j}.$$

$S_1, \dots, S_n$ are a **prefix sum** (or *scan*): `torch.cumsum` makes all of them in one call.

*By hand.* One hidden unit, columns $3, 5, 7$, $x = (1, 0, 1)$. The terms are $3, 0, 7$, and their prefix sums $3, 3, 10$. Step $i$ needs what stands *before* it: $0, 3, 3$.

<details><summary>Hint 1</summary>

A prefix sum holds its own term: at place $i$ stands $S_i$, and step $i$ wants $S_{i-1}$. What does the first step want, and who wants the last sum?
</details>
<details><summary>Hint 2</summary>

Make all terms first: bits as $(B, n, 1)$ times the transpose of $W$ give $(B, n, h)$. Over which of the three axes do you add?
</details>
"""


# %% exercise="nade_scan"
def nade_scan(x, W, c, V, b):
    """The same logits as `nade`, (B, n), in O(n h) operations, and without a loop: no step waits for another."""
    ### BEGIN SOLUTION
    sums = (x[:, :, None] * W.T).cumsum(dim=1)  # (B, n, h), each with its own term
    a = c + F.pad(sums[:, :-1], (0, 0, 1, 0))  # nothing comes before the first
    return (torch.sigmoid(a) * V).sum(dim=2) + b
    ### END SOLUTION


# %% check="nade_scan" points=3
check(nade_scan)

# %% [markdown]
r"""
What does it cost? A **launch** is a piece of work that torch hands to the machine. To hand over a small one takes as long as to hand over a large one; how long the work itself takes is another matter.
"""

# %% tags=["demo"]
predict(
    "Which of the two holds more numbers at a time, where nothing is trained?",
    ["the sweep", "the scan", "both the same"],
    answer=1,
    why="The sweep keeps one a of h numbers for an example and forgets it; the scan has all n of them at once.",
)

# %% tags=["demo"]
with solved("nade", "nade_scan"):
    random = torch.Generator().manual_seed(0)
    for n in (64, 256):
        one = NADE(n, 64, random)
        x = torch.randint(2, (50, n), generator=random).float()
        for function, held in ((nade, 50 * 64), (nade_scan, 50 * n * 64)):
            launches = count_launches(function, x, *one.numbers())
            seconds = []
            for _ in range(5):
                began = time.perf_counter()
                function(x, one.W, one.c, one.V, one.b).sum().backward()
                seconds.append(time.perf_counter() - began)
            print(
                f"n = {n:3}  {function.__name__:9}  {launches:5} launches, sums of {held:>9,} numbers at a time; "
                f"forward and backward {1000 * sorted(seconds)[2]:6.1f} ms here"
            )

# %% [markdown]
r"""
A few launches for any $n$, in place of several for each bit. The price is memory: $Bnh$ sums at a time instead of $Bh$. (In *training* the sweep pays it too: the gradient needs every $a_i$.) On an H100, with 784 bits, 500 units and 100 images, a training step by a sweep took 308 ms and by prefix sums 3.1 ms (measured once, with code of the same form). Could one *draw* that way? Question 3 below asks.

## A question to answer in words

Between NADE and networks apart lies a third model: **one matrix $W$ and one $c$ for each row of the image**. The 8 pixels of a row share them as in NADE; two rows share nothing, though each still looks at all pixels before.

 1. How many multiply-adds with the eight matrices does a likelihood take, if sums are carried wherever they can be (NADE: $63\,h$; networks apart: $2{,}016\,h$)? Which of the two others is a special case of this model, and of which is it a special case? With 16 or with 128 hidden units: where would you look for a gain over NADE on test images, judging by the table above, and what does the table not promise?
 2. What does sharing take for granted about the data? From what does column $j$ learn, compared with the weights of pixel $j$ in networks apart? Describe data for which you would rather have these.
 3. Training: all of $x$ is known, so the hidden vectors of all $n$ steps could be computed at the same time, from cumulative sums. Drawing: not. Why?

A few sentences for each.
"""

# %% [markdown] question="sharing" points=2
r"""
### BEGIN SOLUTION
1. A row's own matrix has to sum all pixels of the rows above anew, $8r$ columns for row $r = 0 \dots 7$; within the row the sum is carried, 7 columns more. Together $8 \cdot 28 + 8 \cdot 7 = 280$ columns, $280\,h$. With eight equal matrices it is NADE; it is itself networks apart whose pixels of a row have equal numbers. Look at 16 units: there networks apart are more than a nat ahead of NADE, so a part of that may be had; with 128 units the two ends are equal within the standard error. The table promises nothing for certain: a larger family fits training images at least as well, and test images need not follow.
2. That pixel $j$ matters to all later pixels *through the same features*: what is known after $x_{<i}$ is summarized by one sum, whatever $i$ asks. Column $j$ is trained by the errors of all pixels $i > j$; apart, each network learns its own weight for pixel $j$ from one factor only. Bad for data whose variables have nothing to do with one another, or whose meaning changes from place to place, for example the columns of a table: age, postcode,
   blood pressure, each of which may need its own transformation of the past.
3. $a_{i+1}$ needs $x_i$. In training $x_i$ is data, so all sums can be formed at once. In drawing $x_i$ is the outcome of step $i$: the steps wait for each other.

Rubric: ½ point for $280\,h$, or for "anew at the beginning of each row, carried within it". ½ point for the two special cases together with 16 units and a reason. ½ point for an assumption together with an example that breaks it. ½ point for "$a_{i+1}$ needs the drawn $x_i$".
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

NADE gives every conditional a hidden layer, and pays for one: step $i$ uses the columns of $W$ *before* $i$, and each step adds a single column to the sum of the last one. So a likelihood and a sample both cost $O(nh)$. An autoencoder with the same numbers is no distribution, since its outputs see what they
predict; whether the probabilities sum to 1 tells the two apart. What beats an FVSBN is hidden units; sharing makes them affordable, and networks apart are the control that shows it.

## Go further

 - H. Larochelle, I. Murray (2011). *The Neural Autoregressive Distribution Estimator.* AISTATS. This lesson; the paper also tells how the idea came from restricted Boltzmann machines.
 - B. Uria, M.-A. Côté, K. Gregor, I. Murray, H. Larochelle (2016). *Neural Autoregressive Distribution Estimation.* JMLR 17. Deep, orderless and real-valued forms.
 - B. Uria, I. Murray, H. Larochelle (2013). *RNADE: The Real-Valued Neural Autoregressive Density-Estimator.* NIPS 26. Mixtures of Gaussians in the place of bits.
 - Y. Bengio, S. Bengio (2000). *Modeling high-dimensional discrete data with multi-layer neural networks.* NIPS 12. Hidden units for each conditional, before the sum was carried along.
 - M. Germain, K. Gregor, I. Murray, H. Larochelle (2015). *MADE: Masked Autoencoder for Distribution Estimation.* ICML. The next lesson: one hidden vector, and masks.

**Try:** train with 16, 64 and 256 hidden units: where does the validation NLL turn? Does training get quicker with `nade_scan` in the place of `nade`?

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>Which columns of W does step i use, and which column is never used?</summary>

The first $i-1$, those of the variables before $x_i$. The last: nobody comes after $x_n$.
</details>
<details><summary>What is carried from step to step, and when is it changed?</summary>

$a_i = c + \sum_{j<i} W_{\cdot j}x_j$, before the sigmoid. Column $i$ is added after $x_i$ has been predicted (or drawn).
</details>
<details><summary>How can you tell O(n²h) from O(nh) without a clock?</summary>

Count operations at $n$ and at $2n$: the quotient goes to 4 or to 2.
</details>
<details><summary>Why is an autoencoder trained with cross-entropy no density model?</summary>

Its output $i$ sees $x_i$. Its "conditionals" are none, and over all $x$ the products do not sum to 1.
</details>
<details><summary>Does NADE have fewer parameters than an FVSBN?</summary>

With $h$ hidden units $2nh + h + n$ against $n(n+1)/2$: fewer only for large $n$, from 2002 on when $h = 500$.
</details>
<details><summary>A colleague's NADE adds the column first, and then predicts. What does it do?</summary>

It peeks: output $i$ sees $x_i$. A wonderful loss, probabilities that do not sum to 1, and samples that do not fit.
</details>
"""

# %% [markdown]
r"""
## Appendix: at full size

500 hidden units and 784 pixels, as in the paper: 785,284 numbers. By your `nade_scan`, since a sweep would take a hundred times as long, and a CUDA card if there is one. MNIST is binarized by our own draw (seed 0), not the paper's, so the last tenths do not compare. Validation images choose the epoch; the test set is opened once. Without a card you see a stored result, and whose it is.

`size` may also be `"gpu"` (the papers' size, however long it takes), `"laptop"` (the stored result) or `"smaller"`: yours, on this processor, in seconds.
"""


# %%
class ScanNADE(NADE):
    """Your NADE, all steps at once."""

    def forward(self, x):
        return nade_scan(x, self.W, self.c, self.V, self.b)


def make_full(setting, n):
    """The model over n bits, as large as the setting says."""
    return ScanNADE(n, setting.hidden)


def draw_full(model, count, generator):
    """`count` images, drawn from it."""
    return sample(*model.numbers(), count, generator)


# %% tags=["demo", "unfolded"]
size = "auto"
with solved("nade_scan", "sample"):
    display(full_size.train("NADE", make_full, draw_full, size=size))
