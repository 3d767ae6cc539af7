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
#     name: 05_made
#     title: "MADE: one pass, by masks"
#     question: "Can one pass of an ordinary network give all n conditionals, without any of them peeking at its answer?"
#     minutes: 90
#     prerequisites: [02_chain_rule, 03_fvsbn, 04_nade]
# ---

# %%
import itertools
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
from course.training import evaluate, fit
from figures.mask_explorer import MaskExplorer
from figures.predict import predict

# %% [markdown]
r"""
## The network that knows everything and nothing

The chain rule asks for $n$ conditionals:

$$p(x) = \prod_{d=1}^{n} p(x_d \mid x_{<d}).$$

An ordinary autoencoder takes $n$ bits in and gives $n$ numbers out, in one pass. It is tempting to read
output $d$ as the log-odds $\log\frac{p}{1-p}$ of $p = p(x_d = 1 \mid x_{<d})$, and to train it by maximum likelihood.

Here is such a network: four inputs below, four outputs above. The small number at each of them is its **place**, 1 for the variable that comes first in the chain rule. **Point at output 1**, or walk there with the arrow
keys, and look which inputs it can see.
"""

# %% tags=["demo"]
dense = [torch.ones(5, 4), torch.ones(4, 5)]  # every connection exists
MaskExplorer(dense)

# %% [markdown]
r"""
Every output sees every input, *its own answer included*. Copying is all it needs to learn, and then it says "$p = 1$" of
every image, of noise, of anything.
"""

# %% tags=["demo"]
predict(
    "If a network gives probability 1 to each of the 2^n bit vectors, what do its 'probabilities' sum to?",
    ["1", "n", "2^n"],
    answer=lambda: [1, 8, 2**8].index(sum(1 for _ in itertools.product((0, 1), repeat=8))),
    why="A training loss of 0 nats is not a triumph here: it is a sign that this is no distribution at all.",
)

# %% [markdown]
r"""
So some connections must go. The question of this lesson is **which**: enough of them that no output sees itself or a later
variable, and no more than it takes. Germain, Gregor, Murray and Larochelle (2015) found an answer that fits in
one comparison. They called the result MADE: *masked autoencoder for distribution estimation*.
"""

# %% [markdown]
r"""
## Exercise 1: a degree for every hidden unit

`assign_degrees` · difficulty ●○○ · 5 minutes · 2 points

Give each hidden unit $k$ a number $m(k)$, its **degree**: *it may see the first $m(k)$ variables, and no others.* The degree is
a promise, and the masks of exercise 2 will keep it.

Which degrees make sense for $n$ variables?

 - **Not 0**: such a unit sees nothing. It would be one more bias.
 - **Not $n$**: such a unit has seen everything, $x_n$ too. No output may listen to it.
 - So $1 \le m(k) \le n-1$, drawn uniformly.

**A second layer** listens to the first. A unit that promises "at most the first 2 variables" can only listen to units which
promise 2 or less.

*By hand.* Let $n = 5$, and let the first hidden layer have the degrees 3, 2, 4. May a unit of the second layer have degree 1? It would
have to listen to a unit of degree 1 or less. There is none: the smallest is 2. The unit would be dead. So the
second layer draws from 2, 3, 4, and in general

$$m^{\ell}(k) \in \Big\{\min_{k'} m^{\ell-1}(k'),\; \dots,\; n-1\Big\}.$$

<details><summary>Hint 1</summary>

`torch.randint(low, high, (size,), generator=generator)` draws whole numbers. Which of its two ends is left out?
</details>
<details><summary>Hint 2</summary>

Carry one number along while you go through the layers: the smallest degree that is allowed now. It starts at 1.
</details>
"""


# %% exercise="assign_degrees"
def assign_degrees(n, hidden_sizes, generator=None):
    """Random degrees for the hidden units of a MADE over n ≥ 2 variables.

    Returns a list with one int64 tensor (size,) for each hidden layer: degrees in 1 … n−1, none below the
    smallest degree of the layer before. All randomness comes from `generator` (None: torch's own).
    """
    ### BEGIN SOLUTION
    degrees, lowest = [], 1
    for size in hidden_sizes:
        layer = torch.randint(lowest, n, (size,), generator=generator)
        degrees.append(layer)
        lowest = int(layer.min())
    return degrees
    ### END SOLUTION


# %% check="assign_degrees" points=2
check(assign_degrees)

# %% [markdown]
r"""
## Exercise 2: the mask rule

`build_masks` · difficulty ●●○ · 10 minutes · 4 points

A **mask** is a matrix of zeros and ones with the shape of a layer's weight, `(out, in)`: row $k$ says what unit $k$ listens to.

The variables need not be used in the order in which they are stored. An **order** lists them as they come: its $i$-th entry is the variable that comes $i$-th. Masks ask the other way round: *when* does
variable $d$ come? That is its **place**, 1 for the first and $n$ for the last. In the order 3, 1, 2 the places are `place = [2, 3, 1]`: $x_1$ comes second, $x_2$ third, $x_3$ first. Each of the two lists is the inverse of the other.

Input $d$ has the degree `place[d]`, and the promises are kept by two rules:

| layer | connection exists where | in words |
|---|---|---|
| hidden | $m(k) \ge m(d)$ | a unit listens to whatever has promised no more than it |
| output | $\text{place}(d) > m(k)$ | an output listens to units that stop *before* its variable |

*By hand.* Three variables in their natural order, one hidden layer with the degrees 1, 2:

$$
M^{\text{hidden}} = \begin{pmatrix} 1 & 0 & 0 \\ 1 & 1 & 0 \end{pmatrix}\qquad
M^{\text{output}} = \begin{pmatrix} 0 & 0 \\ 1 & 0 \\ 1 & 1 \end{pmatrix}
$$

The unit of degree 2 hears inputs 1 and 2. Output 1 hears nobody: $p(x_1)$ is a bias. Output 3 hears both units.

One rule has $\ge$, the other $>$: along a path from input to output the numbers may stay equal, and must rise at least once.

<details><summary>Hint 1</summary>

Two vectors compare to a matrix by broadcasting: `a[:, None] >= b[None, :]` has `a` along its rows.
</details>
<details><summary>Hint 2</summary>

Think of one chain of degrees: those of the inputs, of each hidden layer, of the outputs. Neighbors in this chain make one mask. The first and the last link of the
chain are the same vector.
</details>
"""

# %% tags=["demo"]
predict(
    "If both rules had ≥, what could output d see?",
    ["its past, as before", "itself", "all but its closest past"],
    answer=1,
    why="A path would lead from input d through units of degree d to output d. With > in both, nothing leaks, but output d + 1 loses input d, its closest past: the numbers would have to rise twice.",
)


# %% exercise="build_masks"
def build_masks(degrees, place):
    """The masks of a MADE, one for each layer, the output's last.

    degrees: a list of int64 tensors, one for each hidden layer (at least one). place: int64 (n,), the place 1 … n
    of each variable. Returns a list of len(degrees) + 1 tensors of zeros and ones (floats or bools), of
    shape (out, in) like `nn.Linear.weight`.
    """
    ### BEGIN SOLUTION
    masks, below = [], place
    for layer in degrees:
        masks.append((layer[:, None] >= below[None, :]).float())  # (out, in)
        below = layer
    masks.append((place[:, None] > below[None, :]).float())
    return masks
    ### END SOLUTION


# %% check="build_masks" points=4
check(build_masks)

# %% [markdown]
r"""
### Look at your masks

This explorer calls **your** two functions. Point at an output, or use the arrow keys, to light every path that leads to it.

 1. Which output sees nothing, and why that one?
 2. Does every output see **all** of its past? With 8 units a draw misses one of the four degrees in 38 cases of 100, and then a connection is lost though no rule forbids it. Draw other degrees a few times: what changes, and what never does?
 3. Choose the reversed order. Which output is now the one that sees nothing?
 4. **Break one mask by hand**: open a connection from a unit to an output that it should not have. Which leak is named?
"""

# %% tags=["demo"]
MaskExplorer.of(build_masks, assign_degrees, n=5, hidden_sizes=(8,))

# %% [markdown]
r"""
## Exercise 3: counting paths

`connectivity` · difficulty ●○○ · 5 minutes · 2 points

A picture of 5 variables can be checked by eye; 64 variables need arithmetic. Along a path the connections **multiply**: one zero
and the path is gone. Over the units of a layer they **add**. That is the matrix product:

$$C = M^{\text{output}}\, M^{L} \cdots M^{1}, \qquad C_{dj} = \text{number of paths from input } j \text{ to output } d.$$

*By hand*, with the masks above:

$$
C = \begin{pmatrix} 0 & 0 \\ 1 & 0 \\ 1 & 1 \end{pmatrix}\begin{pmatrix} 1 & 0 & 0 \\ 1 & 1 & 0 \end{pmatrix}
  = \begin{pmatrix} 0 & 0 & 0 \\ 1 & 0 & 0 \\ 2 & 1 & 0 \end{pmatrix}.
$$

Two paths lead from input 1 to output 3, one through each unit. Zeros on and above the diagonal: a proof that this network
is autoregressive, **whatever its weights are**.

Counts grow fast. Three layers of 500 units have $500^3 = 125{,}000{,}000$ paths from one input to one output, and float32 holds
whole numbers exactly only up to $2^{24} = 16{,}777{,}216$.

<details><summary>Hint 1</summary>

`@` is the matrix product, and `mask.long()` an int64 copy. In $y = M^3(M^2(M^1 x))$, who stands leftmost?
</details>
<details><summary>Hint 2</summary>

Start with the first mask and multiply each next one **from the left**.
</details>
"""


# %% exercise="connectivity"
def connectivity(masks):
    """Number of paths from input j to output d: an int64 tensor C (n outputs, n inputs), exact.

    masks: tensors (out, in) of zeros and ones, of any dtype, first layer first.
    """
    ### BEGIN SOLUTION
    count = masks[0].long()
    for mask in masks[1:]:
        count = mask.long() @ count
    return count
    ### END SOLUTION


# %% check="connectivity" points=2
check(connectivity)

# %% [markdown]
r"""
Now the masks of the network that we are going to train: 64 pixels, 500 hidden units; white is where no path leads.
"""

# %% tags=["demo"]
predict(
    "In the natural order it is white on and above the diagonal. And in a random order?",
    ["the same picture", "the same rows and columns, shuffled", "white nowhere"],
    answer=1,
    why="The rule knows places only, and shuffling them shuffles rows and columns alike.",
)

# %% tags=["demo"]
with solved("assign_degrees", "build_masks", "connectivity"):
    natural = torch.arange(1, 65)  # place[d] for each pixel d
    shuffled = 1 + torch.randperm(64, generator=torch.Generator().manual_seed(3))
    fig, axes = plt.subplots(1, 2, figsize=(8, 3.6), constrained_layout=True)
    for ax, place, name in zip(axes, (natural, shuffled), ("natural", "random"), strict=True):
        degrees = assign_degrees(64, (500,), torch.Generator().manual_seed(0))
        paths = connectivity(build_masks(degrees, place))
        some = paths.double().masked_fill(paths == 0, torch.nan)  # white where there is no path
        drawn = ax.imshow(some, cmap="cividis", extent=(0.5, 64.5, 64.5, 0.5))
        ax.set(title=f"{name} order", xlabel="input j", ylabel="output d")
    fig.colorbar(drawn, ax=axes, label="paths (white: none)")
    share = (paths > 0).float().mean().item()
    show(
        fig,
        "Two 64 by 64 maps of path counts. Natural order: white on and above the diagonal, then more "
        "paths the further below it, up to 500. Random order: the same rows and columns, shuffled.",
    )
    print(f"{share:.1%} of all pairs are connected; (n − 1) / 2n = {63 / 128:.1%} are allowed")

# %% [markdown]
r"""
## Exercise 4: a linear layer with a mask

`MaskedLinear` · difficulty ●●○ · 10 minutes · 3 points

A mask does its work inside the layer:

$$y = (W \circ M)\,x + b, \qquad \circ \text{ entry by entry.}$$

*By hand.*

$$
W = \begin{pmatrix} 2 & 5 \\ 3 & 4 \end{pmatrix},\;
M = \begin{pmatrix} 1 & 0 \\ 1 & 1 \end{pmatrix},\;
b = \begin{pmatrix} 1 \\ -1 \end{pmatrix},\;
x = \begin{pmatrix} 1 \\ 10 \end{pmatrix}
\quad\Rightarrow\quad
y = \begin{pmatrix} 2 \cdot 1 + 1 \\ 3 \cdot 1 + 4 \cdot 10 - 1 \end{pmatrix} = \begin{pmatrix} 3 \\ 42 \end{pmatrix}.
$$

Two things go wrong in practice, so think of them now:

 - Someone sets the forbidden weights to zero in `__init__` and leaves it at that. What does the first training step do?
 - A mask is no parameter (nobody should train it) and no plain attribute either (it has to be saved with the model and to move with it to a GPU). PyTorch
   calls this third thing a **buffer**.

<details><summary>Hint 1</summary>

`self.register_buffer("mask", tensor)` makes `self.mask`. A mask of bools or whole numbers should become floats first: `mask.float()`.
</details>
<details><summary>Hint 2</summary>

`nn.Linear` itself computes `F.linear(x, self.weight, self.bias)`. Only one of these three has to change, and on every call.
</details>
"""

# %% tags=["demo"]
predict(
    "Forbidden weights are zero at the start, and nothing else is done. After the first training step?",
    [
        "they stay zero, and so does their gradient",
        "they are back, and the loss gets worse",
        "they are back, and the loss gets better",
    ],
    answer=2,
    why="The gradient of a weight that is zero is not zero; and the outputs can now see their answers. (Lesson 3 trains such a model.)",
)


# %% exercise="MaskedLinear"
class MaskedLinear(nn.Linear):
    """A linear layer whose connections exist only where `mask` (out, in) is 1.

    The mask is the buffer `self.mask`, and is applied on every call.
    """

    def __init__(self, in_features, out_features, mask, bias=True):
        super().__init__(in_features, out_features, bias=bias)
        ### BEGIN SOLUTION
        self.register_buffer("mask", torch.as_tensor(mask).float().clone())
        ### END SOLUTION

    def forward(self, x):
        """(B, in) → (B, out)."""
        ### BEGIN SOLUTION
        return F.linear(x, self.weight * self.mask, self.bias)
        ### END SOLUTION


# %% check="MaskedLinear" points=3
check(MaskedLinear)

# %% [markdown]
r"""
## Exercise 5: MADE

`MADE` · difficulty ●●● · 20 minutes · 6 points

Everything is there; put it together. The constructor and `reorder` are given. Read them, then write three methods. Each has a check of its own: write one, run the cell, look at its card,
and go on. The last check asks for the whole.

**`forward`**: logits $\ell_d = \log\frac{p(x_d = 1 \mid \text{past})}{p(x_d = 0 \mid \text{past})}$ of all variables at once, output $d$ belonging to variable $d$. A
ReLU, $\max(0, t)$ entry by entry, follows each layer but the last.

**`nll`**: the chain rule is a sum of logs now, in nats:

$$-\log p(x) = \sum_{d=1}^{n} -\log p(x_d \mid \text{past}) = \sum_{d=1}^{n} \big[\log(1 + e^{\ell_d}) - x_d\,\ell_d\big].$$

*By hand.* Two variables, logits $\ell = (0, \ln 3)$, so $p(x_1{=}1) = \tfrac12$ and $p(x_2{=}1 \mid x_1) = \tfrac34$. For $x = (1, 1)$: $-\ln(\tfrac12 \cdot \tfrac34) =
0.9808$ nats; for $x = (1, 0)$: $-\ln(\tfrac12\cdot\tfrac14) = 2.0794$ nats.

Computing $\sigma(\ell)$ first and its logarithm afterwards fails: in float32 $\sigma(20)$ is exactly 1, and $\log(1 - 1) = -\infty$. Stay with logits.

**`sample`**: one pass gives all conditionals of an $x$ that you *have*. A sample is what you do not have yet. So: draw the variable of place 1, put it into $x$,
pass again, draw the variable of place 2, and so on. $n$ passes, for any number of samples side by side.

*By hand.* `place = [2, 3, 1]` says that $x_1$ comes second, $x_2$ third, $x_3$ first. So the order is: variable **3, 1, 2**. That list is not
`place`, but its inverse.

<details><summary>Hint 1</summary>

PyTorch has a function for the bracket: `F.binary_cross_entropy_with_logits(logits, x, reduction="none")` has shape `(B, n)`. What is left to do, and over which dimension?
</details>
<details><summary>Hint 2</summary>

`torch.argsort(place)` lists the variables by place. `torch.bernoulli(p, generator=generator)` draws a bit for each entry of `p`. Undrawn entries of `x` may
hold anything: why?
</details>
"""

# %% tags=["demo"]
predict(
    "place = [2, 3, 1]. Somebody draws the variables in the order in which `place` lists them. Which comes first, and what does its logit see?",
    [
        "x₃, which sees nothing",
        "x₂, which sees x₃ and x₁, not yet drawn",
        "x₁, which sees x₃, not yet drawn",
    ],
    answer=lambda: [3, 2, 1].index([2, 3, 1][0]),
    why="x₂ has place 3, so its conditional asks for both others: they are still zeros.",
)


# %% exercise="MADE"
class MADE(nn.Module):
    """A distribution over n bits: p(x) = ∏_d p(x_d | the variables before x_d in the order).

    hidden_sizes: units of each hidden layer. place: int64 (n,), the place 1 … n of each variable in the
    order; the natural order if None. generator: for the degrees.
    """

    def __init__(self, n, hidden_sizes, place=None, generator=None):
        super().__init__()
        self.n = n
        self.degrees = assign_degrees(n, hidden_sizes, generator)
        place = torch.arange(1, n + 1) if place is None else torch.as_tensor(place)
        self.register_buffer("place", place.clone())
        masks = build_masks(self.degrees, place)
        self.layers = nn.ModuleList(MaskedLinear(m.shape[1], m.shape[0], m) for m in masks)

    def reorder(self, place):
        """Gives the variables other places; weights and degrees stay, the masks follow."""
        place = torch.as_tensor(place).cpu()
        self.place.copy_(place)
        for layer, mask in zip(self.layers, build_masks(self.degrees, place), strict=True):
            layer.mask.copy_(mask)

    def forward(self, x):
        """Bits (B, n) → logits (B, n), in the variables' own positions."""
        ### BEGIN SOLUTION
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))  # (B, hidden)
        return self.layers[-1](x)
        ### END SOLUTION

    def nll(self, x):
        """−log p(x) in nats, (B,): what training makes small."""
        ### BEGIN SOLUTION
        return F.binary_cross_entropy_with_logits(self(x), x, reduction="none").sum(1)
        ### END SOLUTION

    @torch.no_grad()
    def sample(self, count, generator=None):
        """Bits (count, n), drawn from p in n passes, by `generator` alone (None: torch's own)."""
        ### BEGIN SOLUTION
        x = torch.zeros(count, self.n, device=self.place.device)
        for d in torch.argsort(self.place):  # the order: whose turn it is
            x[:, d] = torch.bernoulli(torch.sigmoid(self(x)[:, d]), generator=generator)
        return x
        ### END SOLUTION


# %% check="MADE.forward" points=2
check(MADE, "forward")

# %% check="MADE.nll" points=1
check(MADE, "nll")

# %% check="MADE.sample" points=2
check(MADE, "sample")

# %% check="MADE" points=1
check(MADE)

# %% [markdown]
r"""
### The whole distribution, once

For 8 bits there are 256 vectors: few enough to ask for all their probabilities. The network below has random weights and was never trained. The cell below adds them up for your MADE, and for the same network with all its masks set to one.
"""

# %% tags=["demo"]
predict(
    "What do the two sums come to, with masks and without?",
    ["1 and 1", "1 and something else", "neither is 1"],
    answer=1,
    why="With masks each factor is a conditional, whatever the weights are. Without them the factors are not the conditionals of any one distribution.",
)

# %% tags=["demo"]
with solved("MADE"):
    every = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 8)  # (256, 8)
    torch.manual_seed(1)
    small = MADE(8, (32,))
    for layer in small.layers:
        nn.init.normal_(layer.weight)
    print(f"masked:   the 256 probabilities sum to {small.nll(every).neg().exp().sum():.6f}")
    for layer in small.layers:
        layer.mask.fill_(1.0)
    print(f"unmasked: the 256 'probabilities' sum to {small.nll(every).neg().exp().sum():.6f}")

# %% [markdown]
r"""
## Digits: a number to beat

1,797 handwritten digits of 8×8 pixels, black or white; 1,297 to train, 200 to validate, 300 to test.

The simplest model of 64 pixels: each pixel an independent coin, with its own frequency in the training set. All the digits it has ever seen, averaged. Its test
NLL is the number to beat.
"""

# %%
digits = data.digits()
budget = {"epochs": 100, "batch_size": 100, "lr": 1e-2, "weight_decay": 0.1, "seed": 0}

# %% tags=["demo"]
frequency = (digits.train.sum(0) + 1) / (len(digits.train) + 2)  # a count of 0 is no probability 0
each = F.binary_cross_entropy(frequency.expand_as(digits.test), digits.test, reduction="none")
coins = each.sum(1)  # (300,)
print(f"a fair coin for each pixel    {64 * math.log(2):5.2f} nats an image")
print(f"independent pixels            {coins.mean():5.2f} nats an image")

# %% [markdown]
r"""
Now your MADE, with one hidden layer of 500 units, in the natural order of the pixels: row by row.
"""

# %% tags=["demo"]
predict(
    "Independent pixels cost 25 nats an image. How many of them will the dependencies between pixels save?",
    ["about 2", "about 8", "about 15"],
    answer=1,
    why="The cell below trains it.",
)

# %% tags=["demo"]
with solved("MADE"):
    torch.manual_seed(0)  # the weights that a layer starts with come from the global generator
    one_order = MADE(64, (500,))
    display(fit(one_order, digits.train, digits.valid, **budget))
    nats, error = evaluate(one_order, digits.test)
    print(f"independent pixels {coins.mean():.2f} nats")
    print(f"MADE, one order    {nats:.2f} ± {error:.2f} (standard error over the test images)")

# %% [markdown]
r"""
The two curves part company: what the network still learns there holds for the training images only. `fit` keeps the weights that were best on the validation set; weight decay is a second brake, try 0 and 0.3 in `budget`.

**And with all masks open?** The same network, free to look at its answers.
"""

# %% tags=["demo"]
predict(
    "Its 'test NLL' after 20 epochs?",
    ["about 18, as before", "about 10", "below 3"],
    answer=2,
    why="Copying is learned quickly. The cell below trains it.",
)

# %% tags=["demo"]
with solved("MADE"):
    torch.manual_seed(0)
    peeking = MADE(64, (500,))
    for layer in peeking.layers:
        layer.mask.fill_(1.0)
    fit(peeking, digits.train, digits.valid, **{**budget, "epochs": 20})
    print(f"every mask open    {evaluate(peeking, digits.test)[0]:.2f} nats, and no distribution")

# %% [markdown]
r"""
A loss that no honest model could reach: that is what a leak looks like from outside.

A sample costs 64 passes, one for each pixel. Beside the samples stand real digits and what the independent coins produce.
"""


# %% tags=["demo"]
def draw_images(rows, alt):
    """Draws a list of (name, images (12, 64)), one row of pictures each."""
    fig, axes = plt.subplots(len(rows), 12, figsize=(9, 0.9 * len(rows)), squeeze=False)
    for line, (name, images) in zip(axes, rows, strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for ax, image in zip(line, images, strict=True):
            ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
    show(fig, alt)


with solved("MADE"):
    drawn = one_order.sample(12, torch.Generator().manual_seed(5))
    noise = torch.bernoulli(frequency.expand(12, 64), generator=torch.Generator().manual_seed(6))
    draw_images(
        [("test set", digits.test[:12]), ("MADE", drawn), ("independent", noise)],
        "Three rows of twelve 8 by 8 images. Test set: digits. MADE: connected strokes, about half of "
        "them readable as a digit. Independent pixels: scattered dots in the middle, no strokes.",
    )

# %% [markdown]
r"""
## Exercise 6: many orders, one answer

`average_over_orders` · difficulty ●●○ · 10 minutes · 3 points

The order enters by one vector, the places given to `build_masks`. So one set of weights can serve **many** orders: give the network a new order for each batch, and it learns the
conditionals of all of them (*order-agnostic training*; Uria, Murray and Larochelle, 2014).

Each order gives another $p(x \mid \text{order})$. Together they make an **ensemble**, with a probability that is the mean of theirs:

$$\log p(x) = \log \frac1K \sum_{k=1}^{K} p(x \mid \text{order}_k) = \operatorname*{logsumexp}_{k}\big(\log p(x \mid \text{order}_k)\big) - \log K.$$

*By hand.* Two orders give an image the probabilities 0.5 and 0.1. Their mean is 0.3, and $\ln 0.3 = -1.2040$. The mean of the two *logarithms* is $-1.4979$: less. It always
is (Jensen), unless all orders agree. Averaging probabilities gains something; averaging NLLs gains nothing.

Why logsumexp? A big image has a log-probability of −2,000 nats, and $e^{-2000}$ is 0 in floating point, with the logarithm $-\infty$.

<details><summary>Hint 1</summary>

`model.reorder(place)` first, then `model.nll(x)`: that is one term. What is its sign?
</details>
<details><summary>Hint 2</summary>

Collect the $K$ terms with `torch.stack` into shape `(K, B)`. Over which of the two dimensions does the mean run?
</details>
"""


# %% exercise="average_over_orders"
def average_over_orders(model, x, places):
    """log of the mean over orders of p(x | order): (B,), in nats.

    places: a list with one int64 (n,) for each order, the place 1 … n of each variable in it. Uses
    `model.reorder(place)` and `model.nll(x)` only; leaves the model in the last of the orders.
    """
    ### BEGIN SOLUTION
    terms = []
    for place in places:
        model.reorder(place)
        terms.append(-model.nll(x))  # (B,)
    return torch.logsumexp(torch.stack(terms), dim=0) - math.log(len(places))
    ### END SOLUTION


# %% check="average_over_orders" points=3
check(average_over_orders)

# %% [markdown]
r"""
### One order or many?

The same network three times, with the same training budget: a single order; four orders in turn, another one for each batch; and a fresh random order for each batch, so that hardly any order
comes twice. The fourth is a control: one order again, held back by three times the weight decay.
"""

# %% tags=["demo"]
predict(
    "Which network is the best as a SINGLE order?",
    [
        "the one that was trained on one order",
        "the one that was trained on four",
        "the one that was trained on ever new ones",
    ],
    answer=0,
    why="The more orders, the more conditionals the same weights have to give. The curves below show the price.",
)


# %% tags=["demo"]
def random_orders(count, seed):
    """`count` random orders of 64 variables, each told by the places 1 … 64 of its variables."""
    generator = torch.Generator().manual_seed(seed)
    return [1 + torch.randperm(64, generator=generator) for _ in range(count)]


def train_in_turn(places, weight_decay=0.1):
    """A MADE that was trained under several orders, the next one for each batch."""
    torch.manual_seed(0)
    model, turn = MADE(64, (500,)), itertools.cycle(places)

    def nll_in_turn(model, x):
        if model.training:
            model.reorder(next(turn))
        return model.nll(x)

    setting = {**budget, "weight_decay": weight_decay}
    fit(model, digits.train, digits.valid, loss=nll_in_turn, **setting)
    return model


# %% tags=["demo"]
predict(
    "And which gains most from averaging over orders?",
    ["one order", "four orders", "ever new orders"],
    answer=2,
    why="With one order there is nothing to average; four are soon used up.",
)

# %% tags=["demo"]
with solved("MADE", "average_over_orders"):
    settings = {"1 order": random_orders(1, 9), "4 orders": random_orders(4, 9)}
    settings["ever new orders"] = random_orders(2000, 10)  # more than there are batches
    models = {name: train_in_turn(places) for name, places in settings.items()}
    settings["1 order, weight decay 0.3"] = settings["1 order"]  # the control
    models["1 order, weight decay 0.3"] = train_in_turn(settings["1 order"], 0.3)
    with torch.no_grad():
        on_training = {}
        for name, model in models.items():
            model.reorder(settings[name][0])
            on_training[name] = model.nll(digits.train).mean().item()
        curves = {
            name: {
                k: -average_over_orders(model, digits.test, settings[name][:k]).mean().item()
                for k in (1, 2, 4, 8, 16, 32)
                if k <= len(settings[name])
            }
            for name, model in models.items()
        }

# %% tags=["demo"]
with solved("MADE", "average_over_orders"):
    fig, ax = plt.subplots(figsize=(7, 3.6), constrained_layout=True)
    looks = zip("os.^", ("#0072B2", "#D55E00", "#009E73", "#CC79A7"), strict=True)  # Okabe, Ito
    words = "Test NLL against the number of orders averaged."
    for (name, nats), (marker, color) in zip(curves.items(), looks, strict=True):
        ax.plot(
            *zip(*nats.items(), strict=True), marker=marker, color=color, label=f"trained on {name}"
        )
        line, most = f"trained on {name}: {nats[1]:.2f} nats with one order", max(nats)
        line += f", {nats[most]:.2f} with {most} averaged" if most > 1 else ""
        words += f" {line.capitalize()}."
        print(f"{line} ({on_training[name]:.2f} on the training images)")
    with torch.no_grad():
        each = [
            -average_over_orders(models["4 orders"], digits.test, [order]).mean().item()
            for order in settings["4 orders"]
        ]
    print(f"trained on 4 orders, each by itself: {sum(each) / len(each):.2f} nats on average")
    ax.set(xlabel="orders averaged", ylabel="test nats an image", xscale="log")
    ax.set_xticks([1, 2, 4, 8, 16, 32], ["1", "2", "4", "8", "16", "32"], minor=False)
    ax.minorticks_off()
    ax.legend(frameon=False)
    show(fig, words)

# %% [markdown]
r"""
Read the curves:

 - **Averaging always gains** over the mean of the single NLLs; Jensen promised it. (A curve need not fall at every step: one poor order can lift it.)
 - **A few orders cost little, and seem to pay.** The average of four gains half a nat over the mean of their own NLLs, and ends ahead of the network with one order.
 - **The control takes most of that lead away.** One order with more weight decay is nearly as good as the average of four: what is left is smaller than the standard error. So what four orders gave here can be had by holding the weights back (*regularization*), at a quarter of the cost of a likelihood.
 - **All orders at once cost a lot.** Averaging 32 of them wins back one nat of the three that were lost. This is no overfitting: the NLL of the *training* images is worse too, by more than five nats. It *underfits*: with the same training it cannot do on its data what one order can. The more orders a network has to serve, the worse it does: on the training images four orders stand between one and all. Germain et al. (2015, figure 2)
   vary the number of masks on binarized MNIST, and treat it as one more number to tune.

Numbers from other data, or from MNIST with another binarization, do not compare with these.
"""

# %% [markdown]
r"""
## Exercise 7: count what the masks leave open

`made_parameters` · difficulty ●●○ · 8 minutes · 3 points

What does a MADE cost? Of its weights only those count that **exist**, where the mask is 1; and there is a bias for every hidden unit and every output. Random degrees would make the count random. So for this exercise the degrees go round: in each hidden layer, unit $k = 0, 1, 2, \dots$ has

$$m_k = 1 + (k \bmod (n - 1)), \quad\text{that is } 1, 2, \dots, n-1, 1, 2, \dots$$

and the order is the natural one.

*By hand*, $n = 3$ and one hidden layer of 4 units, of degrees 1, 2, 1, 2:

| | unit 0 ($m=1$) | unit 1 ($m=2$) | unit 2 ($m=1$) | unit 3 ($m=2$) | together |
|---|---|---|---|---|---|
| from inputs of place ≤ m | 1 | 2 | 1 | 2 | 6 |
| to outputs of place > m | 2 | 1 | 2 | 1 | 6 |

and $4 + 3$ biases: **19**. Without masks it would be $3 \cdot 4 + 4 + 4 \cdot 3 + 3 = 31$.

*Two edges.* The list of hidden sizes may be empty: then the outputs listen to the inputs, by the output's rule. And at $n = 1$ there is no degree in $1 \dots 0$, so no hidden unit can exist, whatever sizes are asked for. What is left is the output's bias: 1.

<details><summary>Hint 1</summary>

Keep one list: the degrees of the layer below. It starts as $1, \dots, n$. Each hidden layer counts its connections to it, and then takes its place. (Or let `build_masks` do that, if yours can do without a hidden layer.)
</details>
<details><summary>Hint 2</summary>

`(above[:, None] >= below[None, :])` is the mask of a layer. What is the sum of a mask?
</details>
"""


# %% exercise="made_parameters"
def made_parameters(n, hidden_sizes):
    """Open connections and biases of a MADE over n variables, with m_k = 1 + k mod (n − 1).

    `hidden_sizes` is a list of layer sizes, possibly empty. Returns an int; 1 for n = 1.
    """
    ### BEGIN SOLUTION
    if n == 1:
        return 1
    below = torch.arange(1, n + 1)
    count = n
    for size in hidden_sizes:
        degrees = 1 + torch.arange(size) % (n - 1)
        count += int((degrees[:, None] >= below[None, :]).sum()) + size
        below = degrees
    outputs = torch.arange(1, n + 1)
    return count + int((outputs[:, None] > below[None, :]).sum())
    ### END SOLUTION


# %% check="made_parameters" points=3
check(made_parameters)

# %% tags=["demo"]
predict(
    "Other degrees for one hidden layer, all of them 1, say: what does that do to the count?",
    ["more connections", "fewer connections", "as many connections"],
    answer=2,
    why="A unit of degree m has m connections below it and n − m above it: n, whatever m is.",
)

# %% tags=["demo"] title="What masks leave of a network"
with solved("made_parameters"):
    n, h = 784, 500
    print(f"one layer of {h}: {made_parameters(n, [h]):,} = nh + h + n = {n * h + h + n:,}")
    print(f"NADE, {h} units : {2 * n * h + h + n:,}, FVSBN {n * (n + 1) // 2:,}")
    print(f"no hidden layer : {made_parameters(n, []):,}")
    for sizes in ([1000], [1000, 1000], [1000, 1000, 1000]):
        dense = sum((a + 1) * b for a, b in zip([n, *sizes], [*sizes, n], strict=True))
        count = made_parameters(n, sizes)
        print(f"hidden {sizes!s:18}: {count:,}, {count / dense:.0%} of the dense {dense:,}")

# %% [markdown]
r"""
 1. One layer has $nh + h + n$ numbers, whatever its degrees: about half of NADE's $2nh + h + n$. A hidden unit of NADE is computed anew at every step, and keeps a weight from every input and to every output, $2n$; one of MADE is computed once, and keeps $m$ of the one and $n - m$ of the other.
 2. Without a hidden layer a MADE *is* an FVSBN: inputs straight to outputs, a triangle of weights and $n$ biases.
 3. The masks of a deep MADE are about half full as well, layer by layer: of two degrees drawn at random, the upper is at least the lower about half the time.
"""

# %% [markdown]
r"""
## Is that so?

> "NADE uses masked weight matrices, which allow single-pass evaluation of the entire distribution."

You will find sentences like this.
"""

# %% tags=["demo"]
predict(
    "Which model does this sentence describe?",
    ["NADE", "MADE", "both"],
    answer=1,
    why="NADE has no mask, and needs a step for each variable.",
)

# %% [markdown]
r"""
NADE (Larochelle and Murray, 2011) has no masks. It computes $n$ hidden vectors, $h_d = \sigma(c + \sum_{j<d} W_{\cdot j}\,x_j)$, in one *sweep*: the sum is carried along, and each step adds one
column. MADE has **one** hidden vector, and its masks decide who may look at which part of it.

There is a true thing near the false one: NADE *can be written* as a masked network, with $n \cdot h$ hidden units in place of $h$, in which the blocks share their weights.
"""

# %% tags=["demo"]
n, h, generator = 6, 4, torch.Generator().manual_seed(1)
W, c, V, b = (torch.randn(s, generator=generator) for s in ((h, n), (h,), (n, h), (n,)))
x = torch.tensor([1.0, 0, 1, 1, 0, 1])

sweep, a = [], c.clone()
for d in range(n):  # NADE: one step a variable, no mask anywhere
    sweep.append(b[d] + V[d] @ torch.sigmoid(a))
    a = a + W[:, d] * x[d]

block = torch.arange(1, n + 1).repeat_interleave(h)  # unit → the only output that listens to it
hidden_mask = block[:, None] > torch.arange(1, n + 1)[None, :]  # (n·h, n): block d sees x_{<d}
output_mask = torch.arange(1, n + 1)[:, None] == block[None, :]  # (n, n·h)
hidden = torch.sigmoid((W.repeat(n, 1) * hidden_mask) @ x + c.repeat(n))
masked = (V.repeat(1, n) * output_mask) @ hidden + b
print(f"largest difference of the logits: {(torch.stack(sweep) - masked).abs().max():.1e}")
print(f"hidden values computed: NADE {n * h}, a MADE with the same h {h}")

# %% [markdown]
r"""
The sentence describes MADE. NADE shares *partial sums*: each variable has a hidden vector of its own. MADE shares *hidden units*: one hidden vector serves all outputs, so masks must say who listens to which part of it, and one matrix product a layer computes it.

## A question to answer in words

Order-agnostic training: one set of weights is trained under many orders, and the probabilities under $K$ of them are averaged.

 1. The chain rule is exact for **every** order. Why is a model that was trained for all orders still worse, *as a single order*, than one that was trained for that order alone?
 2. Why does averaging the probabilities over orders never do worse than the average of the single NLLs?
 3. Is the average still a distribution, and how would you draw one sample from it, in how many passes?

A few sentences for each.
"""

# %% [markdown] question="why_order" points=2
r"""
### BEGIN SOLUTION
1. The chain rule is an identity about the joint; a network of fixed size, trained for a fixed time, only approximates the conditionals. Under all orders it must approximate $p(x_d \mid \text{any subset})$ with the same
   weights: far more functions than the $n$ of one order. It underfits: the training NLL is worse as well.
2. The logarithm is concave (Jensen): $\log \frac1K\sum_k p_k \ge \frac1K \sum_k \log p_k$, with equality only where all orders agree.
3. Yes: each $p(x \mid \text{order}_k)$ sums to 1, so their mean does. Sample by drawing $k$ uniformly, then ancestrally in order $k$: $n$ passes, no more than for one order. (The
   likelihood costs $K$ passes.)

Rubric: ½ point for "identity, but one set of weights (or one training budget) for many more conditionals" (not "because orders change the joint"). ½ point for Jensen or an equivalent argument (concavity, or the
worked 0.5/0.1 example generalized). ½ point for "a mixture of normalized distributions is normalized". ½ point for drawing an order first and then $n$ passes.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

A degree is a promise: "I have seen at most the first $m$ variables." Hidden units listen with $\ge$, outputs with $>$, and the product of the masks proves, for any weights, that no
output sees itself or its future. So one pass gives every conditional of a given $x$, and training is as cheap as an autoencoder's; sampling still takes $n$ passes, one for each variable in its turn. A mask that is
not applied on every call, or an order used at one end only, leaks: and a leak shows itself as a wonderful loss.

## Go further

 - M. Germain, K. Gregor, I. Murray, H. Larochelle (2015). *MADE: Masked Autoencoder for Distribution Estimation.* ICML. The source of this lesson; they resample the degrees as
   well as the order.
 - H. Larochelle, I. Murray (2011). *The Neural Autoregressive Distribution Estimator.* AISTATS. The sweep.
 - B. Uria, I. Murray, H. Larochelle (2014). *A Deep and Tractable Density Estimator.* ICML. Order-agnostic training and ensembles of orders.
 - B. Uria, M.-A. Côté, K. Gregor, I. Murray, H. Larochelle (2016). *Neural Autoregressive Distribution Estimation.* JMLR 17. All of it in one place.
 - G. Papamakarios, T. Pavlakou, I. Murray (2017). *Masked Autoregressive Flow for Density Estimation.* NeurIPS. MADE for real-valued data, stacked into a flow.

**Try:** connect inputs to outputs directly as well, by a masked layer with $\text{place}(d) > \text{place}(j)$, added to the logits, as Germain et al. do. Does it help on the digits?

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>Why is there a ≥ at hidden layers and a > at the output?</summary>

Along a path the degrees must rise at least once between input $j$ and output $d$, so that $j$ comes before $d$: one strict comparison does it. A second one would cut off the closest past.
</details>
<details><summary>What does a unit of degree n do, and one of degree 0?</summary>

Degree $n$: sees everything, so nobody may listen: dead. Degree 0: sees nothing, works as a bias.
</details>
<details><summary>Which output of a MADE has no incoming path, and what does it model?</summary>

The one whose variable has place 1. Its logit is a bias: the marginal of that variable.
</details>
<details><summary>A colleague's MADE reaches 2 nats on the digits. What do you check first?</summary>

Whether it peeks: change $x_d$, and see whether logit $d$ or an earlier one moves. Then the sum of all probabilities on a tiny case.
</details>
<details><summary>What is MADE without a hidden layer?</summary>

One strictly triangular weight matrix and a bias: a logistic regression for each variable on the ones before it. That is the fully visible sigmoid belief network of lesson 3.
</details>
<details><summary>Training takes one pass. Why does sampling take n?</summary>

In training all of $x$ is known, so every conditional has its past at hand. In sampling the past of variable $d$ is made by the draws before it.
</details>
"""

# %% [markdown]
r"""
## Appendix: at full size

A matrix product costs a card little, so here are 8,000 hidden units in place of 500, with dropout against overfitting and, as in the paper, with links from the inputs straight to the outputs. MNIST is binarized by our own draw (seed 0), not the paper's, so the last tenths do not compare. Validation images choose the epoch; the test set is opened once. Without a card you see a stored result, and whose it is.

`size` may also be `"gpu"` (the papers' size, however long it takes), `"laptop"` (the stored result) or `"smaller"`: yours, on this processor, in seconds.
"""


# %%
class LargeMADE(MADE):
    """Your MADE with one hidden layer, dropout above it, and direct links beside it."""

    def __init__(self, n, hidden, dropout):
        super().__init__(n, (hidden,))
        for layer in self.layers:
            nn.init.orthogonal_(layer.weight)
        self.layers[1] = nn.Sequential(nn.Dropout(dropout), self.layers[1])
        earlier = self.place[:, None] > self.place[None, :]  # (n, n)
        self.direct = MaskedLinear(n, n, earlier, bias=False)
        nn.init.zeros_(self.direct.weight)

    def forward(self, x):
        return super().forward(x) + self.direct(x)


def make_full(setting, n):
    """The model over n bits, as large as the setting says."""
    return LargeMADE(n, setting.hidden, setting.dropout)


def draw_full(model, count, generator):
    """`count` images, drawn from it."""
    return model.sample(count, generator)


# %% tags=["demo", "unfolded"]
size = "auto"
with solved("MADE", "MaskedLinear"):
    display(full_size.train("MADE", make_full, draw_full, size=size))
