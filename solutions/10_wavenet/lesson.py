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
#     name: 10_wavenet
#     title: "WaveNet: sound, one sample at a time"
#     question: "Sound is 8,000 numbers a second. How can a network hear far enough into the past, and still be quick?"
#     minutes: 130
#     prerequisites: [02_chain_rule]
# ---

# %%
import copy
import math
import time
from collections import deque

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from IPython.display import display
from torch import nn

from autograder import check
from course import full_size, sound
from course.demo import solved
from course.picture import show
from course.training import fit
from figures.dilation_tree import DilationTree
from figures.predict import predict

# %% [markdown]
r"""
## What comes next?

Here is half a second of a plucked string: 4,000 numbers, 8,000 a second. **Listen, then count:** below are its first 400 samples. How often does the shape come?
"""

# %% tags=["demo"]
string = sound.strings([0], 4000, seed=1)[0]
sound.play(string, "A plucked string, the note A3: half a second, real numbers")
fig, ax = plt.subplots(figsize=(8, 2.2), constrained_layout=True)
ax.plot(string[:400], color="#0072B2", linewidth=1)
ax.set(xlabel="sample", ylabel="x", ylim=(-0.9, 0.95))
show(
    fig,
    "The first 400 samples of the string: a ragged shape that comes again and again, "
    "each time a little smoother and lower.",
)

# %% tags=["demo"]
predict(
    "You know all samples so far, and are asked for the next one. How many of them do you need?",
    ["the last one", "the last 36", "all 4,000"],
    answer=1,
    why="The shape comes eleven times in these 400 samples: look at the sample 36 before and its "
    "neighbors. A low note, or the rhythm of a word, asks for much more.",
)

# %% [markdown]
r"""
The chain rule does not mind length:

$$p(x_1, \dots, x_T) = \prod_{t=1}^{T} p(x_t \mid x_1, \dots, x_{t-1}),$$

but a network does. A plain convolution that looks 2,047 samples back needs 2,047 weights for each pair of channels. **WaveNet** (van den Oord and others, 2016) needs twenty layers with two weights each. You
will build it from seven functions, hear it, and then make it faster (the further it looks back, the more), without changing a single bit of what it says.
"""

# %% [markdown]
r"""
## Exercise 1: fewer levels, spent where the ear listens

`mu_law_encode`, `mu_law_decode` · difficulty ●○○ · 10 minutes · 2 + 2 points

A sample of a sound file is one of 65,536 numbers: too many for a softmax. WaveNet takes 256 **levels**, and spends them unevenly. A softmax over codes treats all of them
alike; but a step of 0.01 is nothing beside a loud 0.9, and everything beside a quiet 0.02. So the signal is first **companded** (compressed; the receiver expands it again) by the $\mu$-law of digital
telephony (ITU-T G.711), with $\mu = \text{levels} - 1$:

$$f(x) = \operatorname{sign}(x)\,\frac{\ln(1 + \mu |x|)}{\ln(1 + \mu)} \in [-1, 1],
\qquad
c = \operatorname{round}\Big(\mu\,\frac{f(x) + 1}{2}\Big) \in \{0, \dots, \mu\}.$$

Decoding goes the same way back: $y = 2c/\mu - 1$, then

$$x = \operatorname{sign}(y)\,\frac{(1 + \mu)^{|y|} - 1}{\mu}.$$

*By hand*, with 256 levels, $\mu = 255$. For $x = 0.5$: $f = \ln 128.5 / \ln 256 = 0.8757$, and $255 \cdot 1.8757 / 2 = 239.15$, so $c = 239$. Back: $y = 0.8745$ and $x = 0.4967$, an error of 0.0033. For $x = 0.01$: $c = 157$
and back to 0.0102, an error of 0.0002. Small sounds make small errors.

<details><summary>Hint 1</summary>

`torch.log1p(z)` is $\ln(1 + z)$, exact for small $z$ too; `torch.expm1` is its inverse. What should become of an $x$ that is a little louder than 1?
</details>
<details><summary>Hint 2</summary>

Rounding is $\lfloor z + \tfrac12 \rfloor$, or `torch.round`. Codes are whole numbers: `.long()`.
</details>
"""

# %% tags=["demo"]
predict(
    "With ⌊·⌋ in place of rounding: does a code survive being decoded and encoded again?",
    ["always", "not reliably", "never"],
    answer=1,
    why="Decoding would land on the edge between two codes, where rounding errors decide. With rounding it lands in the middle of an interval.",
)


# %% exercise="mu_law_encode"
def mu_law_encode(x, levels=256):
    """Codes 0 … levels − 1, int64, of the shape of x (floats); what is louder than 1 is clipped to ±1."""
    ### BEGIN SOLUTION
    mu = levels - 1
    x = torch.as_tensor(x).clamp(-1, 1)
    y = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log1p(mu)  # in [−1, 1]
    return torch.floor(mu * (y + 1) / 2 + 0.5).long()
    ### END SOLUTION


# %% check="mu_law_encode" points=2
check(mu_law_encode)


# %% exercise="mu_law_decode"
def mu_law_decode(codes, levels=256):
    """Floats in [−1, 1], the middle of what each code 0 … levels − 1 stands for."""
    ### BEGIN SOLUTION
    mu = levels - 1
    y = 2 * torch.as_tensor(codes) / mu - 1
    return torch.sign(y) * torch.expm1(y.abs() * math.log1p(mu)) / mu
    ### END SOLUTION


# %% check="mu_law_decode" points=2
check(mu_law_decode)

# %% [markdown]
r"""
### See it and hear it

Four bits are 16 levels. The same string, once with 16 equal steps, once with your 16 $\mu$-law levels.
"""

# %% tags=["demo"]
predict(
    "Which one keeps the END of the note, where the string is quiet?",
    ["16 equal steps", "16 μ-law levels", "both"],
    answer=1,
    why="Its steps are small where the sound is.",
)

# %% tags=["demo"]
with solved("mu_law_encode", "mu_law_decode"):
    coarse = {
        "16 equal steps": ((string + 1) / 2 * 15).round() / 15 * 2 - 1,
        "16 μ-law levels": mu_law_decode(mu_law_encode(string, 16), 16),
    }
    fig, axes = plt.subplots(1, 3, figsize=(9, 2.4), constrained_layout=True)
    x = torch.linspace(-1, 1, 2001)
    axes[0].plot(x, ((x + 1) / 2 * 15).round() / 15 * 2 - 1, color="#D55E00", linestyle="--")
    axes[0].plot(x, mu_law_decode(mu_law_encode(x, 16), 16), color="#0072B2")
    axes[0].set(xlabel="in", ylabel="out", title="equal (dashed), μ-law (solid)")
    for ax, first, name in ((axes[1], 0, "the start"), (axes[2], 3850, "the end")):
        ax.plot(string[first : first + 100], color="#566173", linewidth=3, alpha=0.35)
        for y, color, style in zip(
            coarse.values(), ("#D55E00", "#0072B2"), ("--", "-"), strict=True
        ):
            ax.plot(y[first : first + 100], color=color, linestyle=style, linewidth=1)
        ax.set(xlabel="sample", title=name)
    show(
        fig,
        "Left: the staircase of equal steps is even, that of the μ-law is fine near 0 and coarse "
        "near "
        "±1. Middle, loud start: both follow. Right, quiet end: the equal steps jump between two "
        "levels, the μ-law follows the string.",
    )
    for name, y in coarse.items():
        sound.play(y, f"The string with {name}")
    for part, where in (("first", slice(0, 400)), ("last", slice(3600, 4000))):
        for name, y in coarse.items():
            noise = (y - string)[where].square().mean() / string[where].square().mean()
            print(f"{part} 400 samples, {name}: noise {noise.sqrt():.0%} of the signal")

# %% [markdown]
r"""
At the loud start the two hardly differ. At the quiet end only a few of the equal steps are left in use, and their noise is two thirds of the signal. The $\mu$-law's error stays closer to the same *share* of the signal: for that it was made. With 8 bits both are finer; at the quiet end equal steps still make three times the noise.
"""

# %% [markdown]
r"""
## Exercise 2: a convolution that cannot look ahead

`CausalConv1d` · difficulty ●●○ · 10 minutes · 3 points

A convolution with kernel size $k$ and **dilation** $d$ takes $k$ samples that are $d$ apart. A *causal* one takes the present and what lies before:

$$y_t = b + \sum_{j=0}^{k-1} W_j\, x_{t - (k-1-j)\,d},$$

so the **last** weight belongs to the present. What lies before the first sample counts as 0, and the output is as long as the input.

*By hand.* $k = 2$, $d = 2$, weights $(10, 1)$, $x = (1, 2, 3, 4, 5)$: $y_t = 10\,x_{t-2} + x_t$, so $y = (1, 2, 13, 24, 35)$.

PyTorch's `nn.Conv1d` takes windows that lie *inside* the signal: here $10 \cdot 1 + 3$, $10 \cdot 2 + 4$, $10 \cdot 3 + 5$, only three of them. Every output that it gives is right; some are missing.

<details><summary>Hint 1</summary>

How many zeros are missing, in terms of $k$ and $d$, and on which side? `nn.Conv1d` keeps its sizes as tuples: `self.kernel_size[0]`, `self.dilation[0]`.
</details>
<details><summary>Hint 2</summary>

`F.pad(x, (left, right))` pads the last axis. The convolution itself is already there: `super().forward(…)`.
</details>
"""

# %% tags=["demo"]
predict(
    'padding="same" also makes the output as long as the input. What would the first output be with it here?',
    ["1", "2", "10"],
    answer=1,
    why="It pads on both sides, here with one zero each: 10 · 0 + x₂. The first output hears the second sample, and the training loss is wonderful.",
)


# %% exercise="CausalConv1d"
class CausalConv1d(nn.Conv1d):
    """A dilated convolution over time whose output t sees inputs t, t − d, …, t − (k−1)d."""

    def __init__(self, channels_in, channels_out, kernel_size, dilation=1):
        super().__init__(channels_in, channels_out, kernel_size, dilation=dilation)

    def forward(self, x):
        """(B, channels_in, T) → (B, channels_out, T), for any T ≥ 1."""
        ### BEGIN SOLUTION
        past = (self.kernel_size[0] - 1) * self.dilation[0]
        return super().forward(F.pad(x, (past, 0)))
        ### END SOLUTION


# %% check="CausalConv1d" points=3
check(CausalConv1d)

# %% [markdown]
r"""
## Exercise 3: how far back?

`receptive_field` · difficulty ●○○ · 5 minutes · 2 points

Put such layers on top of each other. The **receptive field** is the number of samples that one output depends on, the present included. A layer adds $(k-1)\,d$ to what the layer below it sees:

$$R = 1 + \sum_{\ell} (k - 1)\, d_\ell.$$

*By hand.* $k = 2$ and dilations 1, 2, 4: $R = 1 + 1 + 2 + 4 = 8$. With $k = 3$: $1 + 2 + 4 + 8 = 15$.

Doubling is the trick: ten layers with dilations $1, 2, 4, \dots, 512$ see $1 + 1023 = 1{,}024$ samples with 20 weights, and no sample in between is skipped. Three such stacks see 3,070. Without dilation thirty layers would see 31.

An ordinary causal convolution in front, as in the paper, is one more layer of dilation 1: it belongs in the list.

<details><summary>Hint 1</summary>

A network without layers sees one sample: its own.
</details>
<details><summary>Hint 2</summary>

`sum(…)` over the list. The dilations need not be powers of 2: what would a 3 in the list add?
</details>
"""


# %% exercise="receptive_field"
def receptive_field(kernel_size, dilations):
    """Samples that one output of a stack of causal convolutions sees, itself included: an int."""
    ### BEGIN SOLUTION
    return 1 + sum((kernel_size - 1) * d for d in dilations)
    ### END SOLUTION


# %% check="receptive_field" points=2
check(receptive_field)

# %% tags=["demo"]
with solved("receptive_field"):
    stack = [2**i for i in range(10)]
    print(f"one stack 1 … 512, kernel 2:   {receptive_field(2, stack):,} samples")
    print(f"two of them:                   {receptive_field(2, stack * 2):,}")
    print(f"three of them:                 {receptive_field(2, stack * 3):,}")
    print(f"thirty layers, dilation 1:     {receptive_field(2, [1] * 30):,}")

# %% [markdown]
r"""
### Look at your tree

This tree is measured: a network is built from **your** `CausalConv1d`, one input after the other is changed, and what moves is drawn. The bracket below is what **your** `receptive_field` predicts. Point at an
output, or use the arrow keys.

 1. Follow the lit units from the top to the inputs. Why is none lit twice?
 2. Edit the dilations: 1, 2, 4, 8 → 1, 2, 4, 4. What is lost, and what is computed twice?
 3. Try 1, 3, 9 with kernel size 3, and then 1, 4 with kernel size 2. Which of them leaves **holes**?
 4. Does the first output see its own input? In which exercise will that have to be prevented?
"""

# %% tags=["demo"]
DilationTree.of(CausalConv1d, receptive_field, kernel_size=2, dilations=(1, 2, 4, 8))

# %% [markdown]
r"""
### Is that so?

> "A WaveNet with $L$ layers of dilation $1, 2, 4, \dots$ has receptive field $2^L$."

Ten layers of kernel 2; of kernel 3; thirty layers in three stacks of ten.
"""

# %% tags=["demo"]
predict(
    "For which of the three is it true?",
    ["all of them", "the first", "the first and the second", "none"],
    answer=1,
    why="The cell below has all three.",
)

# %% tags=["demo"]
with solved("receptive_field"):
    cases = {
        "one stack of 10, kernel 2": (2, [2**i for i in range(10)]),
        "one stack of 10, kernel 3": (3, [2**i for i in range(10)]),
        "three stacks of 10, kernel 2": (2, [2**i for i in range(10)] * 3),
    }
    for words, (k, dilations) in cases.items():
        layers = len(dilations)
        print(
            f"{words:<29} 2^{layers} = {2**layers:>13,}   R = {receptive_field(k, dilations):>5,}"
        )

# %% [markdown]
r"""
True in one case only: kernel 2, one stack that doubles from 1. The networks of the paper *repeat* the stack (1, 2, …, 512, 1, 2, …, 512, …), and then the field grows by addition. Thirty layers of ever doubling dilation would see $2^{30}$
samples, 37 hours of sound at 8,000 a second.

## Exercise 4: gates

`ResidualBlock` · difficulty ●●○ · 10 minutes · 3 points

A layer of WaveNet has two halves that **multiply**: one says *what*, the other says *how much of it* passes. Its causal convolution gives $2C$ channels; the first $C$ of them are $f$, the others $g$:

$$z = \tanh(f) \circ \sigma(g).$$

From $z$ go two ways, each through a convolution with kernel 1: **residual**, added to the layer's input and handed to the next layer, and **skip**, handed straight to the end:

$$x' = x + W_{\text{res}}\, z, \qquad s = W_{\text{skip}}\, z.$$

A **global condition**, such as a label that says which note to play, adds the same vector to $(f, g)$ at *all* times (van den Oord and others, 2016, section 2.5):

$$(f, g) = \text{conv}(x) + V_{\text{label}}.$$

A **local condition** says something new at *each* sample: which sound of a word is due, how loud, at which pitch. Such a signal $y_t$, stretched to one value a sample, goes in through a convolution with kernel 1 (same paper):

$$(f, g)_t = \text{conv}(x)_t + V y_t.$$

A global condition is the case of a constant $y$. All of $y$ may be known before the first sample is drawn, so this is no leak: the factors are $p(x_t \mid x_{<t}, y)$.

*By hand*, one channel and no biases. $f = 0.5493$ and $g = 1.0986$ give $\tanh f = 0.5$, $\sigma(g) = 0.75$, $z = 0.375$. With $x = 2$, $W_{\text{res}} = 2$, $W_{\text{skip}} = -1$: $x' = 2.75$ and $s = -0.375$.

<details><summary>Hint 1</summary>

`a.chunk(2, dim=1)` cuts the channels in halves. `self.condition(label)` has shape `(B, 2C)`; time is the last axis and is missing there.
</details>
<details><summary>Hint 2</summary>

`vector[:, :, None]` has shape `(B, 2C, 1)` and is broadcast over time. Both ways start from `z`: what comes back is a pair.
</details>
"""


# %% exercise="ResidualBlock"
class ResidualBlock(nn.Module):
    """One layer of WaveNet: a gated causal convolution with a residual and a skip connection."""

    def __init__(self, channels, skip_channels, kernel_size, dilation, labels=0):
        super().__init__()
        self.conv = CausalConv1d(channels, 2 * channels, kernel_size, dilation)
        self.condition = nn.Embedding(labels, 2 * channels) if labels else None  # a row a label
        self.residual = nn.Conv1d(channels, channels, 1)
        self.skip = nn.Conv1d(channels, skip_channels, 1)

    def forward(self, x, label=None):
        """x (B, C, T), label int64 (B,) or None → x' (B, C, T) and s (B, skip_channels, T)."""
        ### BEGIN SOLUTION
        both = self.conv(x)  # (B, 2C, T)
        if label is not None:
            both = both + self.condition(label)[:, :, None]  # the same at all times
        f, g = both.chunk(2, dim=1)
        z = torch.tanh(f) * torch.sigmoid(g)  # (B, C, T)
        return x + self.residual(z), self.skip(z)
        ### END SOLUTION


# %% check="ResidualBlock" points=3
check(ResidualBlock)

# %% [markdown]
r"""
## Exercise 5: WaveNet

`WaveNet` · difficulty ●●● · 20 minutes · 5 points

Now the whole model. The constructor is given. Write three methods.

**`stack`** is the network proper: through all blocks, each of which hands on its $x'$; the **sum of all skips** goes into `self.head`, which turns it into one logit for each level:

$$x \to \text{block}_1 \to \text{block}_2 \to \dots, \qquad \text{logits} = \text{head}\Big(\sum_\ell s_\ell\Big).$$

**`forward`** makes it a model of codes. A code is a *name*, not an amount: each one has a vector of its own, `self.embed(codes)`. And there is one thing left to prevent. A causal convolution may see the present; the logits of $x_t$ may
not see $x_t$. So the input is **shifted**: in column $t$ stands the vector of $x_{t-1}$, and in the first column zeros, since nothing comes before.

*By hand.* Codes $(7, 3, 9)$ go in as the columns $(\mathbf 0, e_7, e_3)$; out come the logits of $p(x_1)$, $p(x_2 \mid 7)$, $p(x_3 \mid 7, 3)$. The 9 is never used: nothing comes after it.

**`nll`** adds up the price of each sample, in nats. Often a piece is cut out of the middle of a long sound. Its first samples did have a past, only we threw it away, and a model should not be blamed
for what it could not hear. So `given` samples at the start serve as past only, and the rest is priced:

$$-\log p(x_{g+1}, \dots, x_T \mid x_1, \dots, x_g) = \sum_{t=g+1}^{T} -\log p(x_t \mid x_{<t}).$$

*By hand.* Four samples cost 4, 2, 1 and 1 nats. With `given=0` the sound costs 8 nats, with `given=2` it costs 2.

<details><summary>Hint 1</summary>

`nn.Embedding` gives `(B, T, C)`; convolutions want `(B, C, T)`. `F.pad(x, (1, 0))` puts a column of zeros in front: then the last one is too many.
</details>
<details><summary>Hint 2</summary>

`F.cross_entropy(logits, codes, reduction="none")` takes logits `(B, levels, T)` with codes `(B, T)` and gives `(B, T)`. Are the targets shifted as well?
</details>
"""


# %% exercise="WaveNet"
class WaveNet(nn.Module):
    """p(x_1 … x_T) = ∏ p(x_t | x_{<t}) over codes 0 … levels − 1, given a label if labels > 0.

    `field` is how many of the samples before x_t its logits see.
    """

    def __init__(self, levels, channels, skip_channels, kernel_size, dilations, labels=0):
        super().__init__()
        self.levels, self.channels = levels, channels
        self.field = receptive_field(kernel_size, dilations)
        self.embed = nn.Embedding(levels, channels)
        self.blocks = nn.ModuleList(
            ResidualBlock(channels, skip_channels, kernel_size, d, labels) for d in dilations
        )
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(skip_channels, skip_channels, 1),
            nn.ReLU(),
            nn.Conv1d(skip_channels, levels, 1),
        )

    def stack(self, x, label=None):
        """Blocks, sum of skips, head: (B, channels, T) → (B, levels, T). Column t sees itself."""
        ### BEGIN SOLUTION
        total = 0
        for block in self.blocks:
            x, skip = block(x, label)
            total = total + skip
        return self.head(total)
        ### END SOLUTION

    def forward(self, codes, label=None):
        """Codes int64 (B, T), label int64 (B,) or None → logits (B, levels, T); t sees x_{<t}."""
        ### BEGIN SOLUTION
        x = self.embed(codes).transpose(1, 2)  # (B, channels, T)
        x = F.pad(x, (1, 0))[:, :, :-1]  # what is known when x_t is drawn ends with x_{t−1}
        return self.stack(x, label)
        ### END SOLUTION

    def nll(self, codes, label=None, given=0):
        """−log p of the samples after the first `given`, in nats: (B,)."""
        ### BEGIN SOLUTION
        each = F.cross_entropy(self(codes, label), codes, reduction="none")  # (B, T)
        return each[:, given:].sum(1)
        ### END SOLUTION


# %% check="WaveNet" points=5
check(WaveNet)

# %% [markdown]
r"""
Now the tree of your **whole model**: every code is changed in turn, and the logits are watched. The line under the headline says which samples the last logits see. Compare it with the tree: where does the difference of one come from?
"""

# %% tags=["demo"]
with solved("CausalConv1d", "receptive_field", "ResidualBlock", "WaveNet"):
    small = WaveNet(levels=8, channels=6, skip_channels=6, kernel_size=2, dilations=[1, 2, 4, 8])
    display(DilationTree.of_model(small, CausalConv1d, receptive_field))

# %% [markdown]
r"""
### What should the network put out?

A conditional $p(x_t \mid x_{<t})$ can be said in several ways (lesson 7 is about them). The choice is the data's as much as yours:

| data | output | numbers to put out | its price of a sample |
|---|---|---|---|
| discrete: text, classes | **categorical**: softmax over $K$ logits | $K$ | $-\ln p_k$, exact |
| 8-bit: sound, pixels | **categorical** over 256 levels | 256 | $-\ln p_k$; does not know that 127 and 128 are neighbors |
| 8-bit, with neighbors | **mixture of logistics**, integrated over each level (Salimans and others, 2017) | $3M$ for $M$ components | $-\ln\big(F(\text{upper edge}) - F(\text{lower edge})\big)$ |
| continuous | **Gaussian** | 2: $\mu, \ln\sigma$ | $-\ln$ *density*: depends on the unit, and may be negative |
| continuous | **histogram**: $K$ bins of width $w_k$ | $K$ | $-\ln (p_k / w_k)$: a density again |

Densities and probabilities do not compare. To compare, ask each for the probability of the same **interval**.

A pure tone, a little noise, phase unknown. The last sample was 0.3. Rising, or falling?
"""

# %% tags=["demo"]
predict(
    "What does ONE Gaussian make of that?",
    ["a narrow hill on the rising side", "two hills", "a wide hill over both and the gap"],
    answer=2,
    why="It has one mean and one width.",
)

# %% tags=["demo"]
with solved("mu_law_encode"):
    random = torch.Generator().manual_seed(0)
    phase = torch.rand(400_000, generator=random) * 2 * math.pi
    now, then = 0.5 * torch.sin(phase), 0.5 * torch.sin(phase + 0.35)
    then = (then + 0.02 * torch.randn(len(phase), generator=random))[(now - 0.3).abs() < 0.02]
    code = mu_law_encode(then, 64)  # x_t, where x_{t−1} was about 0.3
    edges = torch.tensor(sound.bin_edges(lambda x: mu_law_encode(x, 64), 64)).float()

    def interval(cdf):
        """Probabilities of the 64 intervals, from a cumulative distribution at their edges."""
        at = cdf(edges)
        return torch.cat([at[..., :1], at.diff(dim=-1), 1 - at[..., -1:]], -1).clamp_min(1e-9)

    theta = torch.tensor([0.0, 0.0, 0.2, 0.4, -3.0, -3.0], requires_grad=True)

    def logistics(x):
        weight, center, scale = theta[:2].softmax(0), theta[2:4], theta[4:].exp()
        return (weight * torch.sigmoid((x[:, None] - center) / scale)).sum(1)

    optimizer = torch.optim.Adam([theta], lr=0.05)
    counts = code[::2].bincount(minlength=64).float()  # half to fit, half to price
    for _ in range(300):
        optimizer.zero_grad()
        loss = -(counts * interval(logistics).log()).sum() / counts.sum()
        loss.backward()
        optimizer.step()

# %% tags=["demo"]
with solved("mu_law_encode"):
    normal = torch.distributions.Normal(then[::2].mean(), then[::2].std())
    told = {
        "Gaussian": (2, interval(normal.cdf), "#D55E00", "--"),
        "two logistics": (6, interval(logistics).detach(), "#0072B2", "-"),
        "categorical": (64, (counts + 0.1) / (counts + 0.1).sum(), "#009E73", ":"),
    }
    fig, ax = plt.subplots(figsize=(8, 2.6), constrained_layout=True)
    for name, (numbers, p, color, style) in told.items():
        price = -p.log()[code[1::2]].mean()
        print(f"{name:<14}{numbers:>3} numbers put out, {price:.3f} nats on the other half")
        ax.plot(
            p,
            color=color,
            linestyle=style,
            label=f"{name}: {price:.2f} nats",
            drawstyle="steps-mid",
        )
    ax.set(xlabel="code of the next sample", ylabel="probability", xlim=(35, 63))
    ax.legend(frameon=False)
    show(
        fig,
        "Probability of the next code after 0.3. Categorical and two logistics: two peaks, falling "
        "or rising. One Gaussian: one wide hill over both and over the gap between them.",
    )

# %% [markdown]
r"""
One Gaussian must cover both answers and the gap between them, where nothing ever is. A categorical output assumes nothing about the shape: that is the reason which the paper gives for taking it (section 2.2). A mixture says nearly the same here, with a tenth of the numbers.

## A sound whose price is known

Real sound has no known entropy. So first a sound that has one: noise through a **resonator**,

$$x_t = a_1 x_{t-1} + a_2 x_{t-2} + \sigma \varepsilon_t,$$

at 64 $\mu$-law levels. If the *true* past were known, a sample would cost the entropy of one rounded Gaussian: nobody can go below. But a WaveNet hears rounded samples. The best that anyone can do with *those* is also known, from a particle
filter: thousands of guesses at the true past, kept or dropped by how well they explain each code.

Listen, then let the yardstick measure (about ten seconds).
"""

# %%
LEVELS = 64
settings = dict(
    levels=LEVELS, channels=32, skip_channels=64, kernel_size=2, dilations=[1, 2, 4, 8, 16, 32, 64]
)

# %% tags=["demo"]
sound.play(sound.resonator(1, 8000, seed=3)[0], "The resonator: noise that whistles, 1 second")
with solved("mu_law_encode", "mu_law_decode"):
    unheard = sound.resonator(8, 4096, seed=12)  # the test set of everything that follows
    measured = sound.yardstick(
        lambda x: mu_law_encode(x, LEVELS), lambda c: mu_law_decode(c, LEVELS), LEVELS, unheard
    )
    print(measured)

# %% [markdown]
r"""
**The number to beat is 1.70 nats**: a little better than the fitted AR(2) recursion, which knows the *form* of the law. (Rounding hides the state, and six rounded samples show more of it than two: AR(6) pays 1.67.) Your WaveNet knows nothing.
"""

# %% tags=["demo"]
predict(
    "After 240 steps of training, on a quarter of a million samples: where does your WaveNet stand?",
    ["at the bigram", "between the bigram and AR(2)", "below AR(2)"],
    answer=2,
    why="The cell below trains it.",
)

# %% tags=["demo"]
with solved("mu_law_encode", "WaveNet"):
    train = mu_law_encode(sound.resonator(192, 1024, seed=10), LEVELS)
    valid = mu_law_encode(sound.resonator(8, 1024, seed=11), LEVELS)
    test = mu_law_encode(unheard, LEVELS)
    torch.manual_seed(0)
    own = WaveNet(**settings)

    def nats_a_sample(model, codes, *label):
        return model.nll(codes, *label) / codes.shape[1]

    display(fit(own, train, valid, epochs=10, batch_size=8, lr=4e-3, clip=1.0, loss=nats_a_sample))
    with torch.no_grad():
        price = nats_a_sample(own, test).mean().item()
    print(f"your WaveNet, trained here: {price:.3f} nats a sample (to beat: 1.70)")

# %% [markdown]
r"""
Under 1.70, after half a minute, and about where six linear weights stand. What would patience bring? The course carries the weights of the same network after 3,000 steps: numbers only, they need **your** WaveNet to run.
"""

# %% tags=["demo"]
with solved("mu_law_encode", "WaveNet"):
    trained_settings, weights = sound.trained("wavenet_resonator")
    patient = WaveNet(**trained_settings["model"])
    patient.load_state_dict(weights)
    with torch.no_grad():
        each = nats_a_sample(patient, test)
    error = each.std() / math.sqrt(len(each))
    print(f"trained here               {price:.3f} nats a sample")
    print(f"trained patiently          {each.mean():.3f} ± {error:.3f}")
    print(f"best possible from codes   {measured.best:.3f}")
    print(f"bound, true past known     {measured.bound:.3f}")

# %% [markdown]
r"""
Four hundredths below AR(6), and less than a hundredth of a nat is left between the patient network and the best that anyone can do. (The ± is what other test sounds would change, and it moves both prices alike.) It was never told that there is a recursion, nor that the codes are rounded. The recursion needs two samples of the past. Does the network make use of more? The cell takes them away from it.
"""

# %% tags=["demo"]
predict(
    "Of how many samples does the trained network make use?",
    ["two", "about six", "all 128"],
    answer=1,
    why="The cell below has its price for each length of the past.",
)

# %% tags=["demo"]
with solved("mu_law_encode", "WaveNet"):
    pieces = test.unfold(1, 129, 31).flatten(0, 1)  # (N, 129): a sample, and 128 before it
    with torch.no_grad():
        by_past = {m: patient.nll(pieces[:, -m - 1 :], given=m) for m in (1, 2, 4, 6, 8, 32, 128)}
    print("nats a sample, if the network hears only so many of those before:")
    print("   ".join(f"{m}: {nats.mean():.2f}" for m, nats in by_past.items()))

# %% [markdown]
r"""
Beyond six samples this network gains nothing, though it hears 128. (With two it is worse than AR(2), which is made for two.)

### A label, in nats

The network below (82,528 parameters, trained on plucked strings) was told which note is played, A3, C4, D4, E4 or G4, as a **global condition**. A string of the test set is priced with its own label and with a wrong one.
"""

# %% tags=["demo"]
predict(
    "Which part of a note makes the difference between the right label and a wrong one?",
    ["the pluck", "the ringing", "both alike"],
    answer=1,
    why="The pluck is noise under any label.",
)

# %% tags=["demo"]
with solved("WaveNet", "mu_law_encode"):
    string_settings, string_weights = sound.trained("wavenet_strings")
    strings = WaveNet(**string_settings["model"])
    strings.load_state_dict(string_weights)
    labels = torch.arange(5)
    levels = string_settings["model"]["levels"]
    plucked = mu_law_encode(sound.strings([0, 1, 2, 3, 4] * 2, 1600, seed=77), levels)
    with torch.no_grad():
        for words, label in (
            ("its own label", labels.repeat(2)),
            ("another label", (labels + 2) % 5),
        ):
            label = label if len(label) == 10 else label.repeat(2)
            each = F.cross_entropy(strings(plucked, label), plucked, reduction="none")
            early, late = each[:, :36].mean(), each[:, 200:].mean()
            expected = torch.special.entr(strings(plucked, label).softmax(1)).sum(1)[:, 200:].mean()
            print(
                f"{words:<14} {each.mean():.2f} nats a sample; the first 36: {early:.2f}, "
                f"after sample 200: {late:.2f}, where it expects {expected:.2f}"
            )
    print(
        f"a model that knows nothing, all levels alike: ln {levels} = {math.log(levels):.2f} nats"
    )

# %% [markdown]
r"""
The pluck costs 5.1 nats a sample under either label: it is noise. The ringing costs 1.4 under its own label and 23.7 under a wrong one, **four times as much as knowing nothing would**. How can a price exceed $\ln$ of the number of levels? A cross-entropy has no ceiling (lesson 6). Under the wrong label, too, the model is sure: it expects to pay 1.95 nats, its entropy. So nearly all its mass lies on other codes than the one that comes, and it pays $-\log$ of the crumb that is left.
"""

# %% [markdown]
r"""
## Exercise 6: drawing sound

`generate` · difficulty ●●○ · 10 minutes · 3 points

A sample is drawn from its conditional, and becomes past for the next one. Before you write it, one tool. `draw_codes` turns logits into codes with **one uniform number** for each row, by inverting the cumulative distribution.

*By hand.* Probabilities $(0.2, 0.5, 0.3)$ have the cumulative sums $(0.2, 0.7, 1)$. The uniform number 0.65 lies beyond the first sum and before the second: code 1. Drawing so, code $k$ comes with probability $p_k$.

Why not `torch.multinomial`? Soon there will be two generators, which compute the same logits in a different order of additions. In double precision they agree to about 15 digits, and the same uniform number then picks the same code, unless it falls into a gap of that
size: about once in $10^{12}$ draws. So we can ask for equality **bit for bit**.
"""


# %%
def draw_codes(logits, generator=None):
    """logits (B, levels) → codes int64 (B,): one uniform number a row, in double precision."""
    cumulative = logits.double().softmax(1).cumsum(1)
    like = {"dtype": cumulative.dtype, "device": cumulative.device}
    u = torch.rand(len(logits), 1, generator=generator, **like)
    return (cumulative <= u).sum(1).clamp(max=logits.shape[1] - 1)


# %% [markdown]
r"""
Now the plain generator. At step $t$ the model gets the last `model.field` samples, with a place for $x_t$ behind them: what stands in that place does not matter, since the model cannot see it. It gives logits for *all* columns; only the last one
is used. Then `draw_codes`, and on.

*By hand.* With `field` 3: the model sees windows of the lengths 1, 2, 3, 4, 4, 4, … The window of $x_1$ has one column, its own place.

<details><summary>Hint 1</summary>

Start with `codes = torch.zeros(rows, count, dtype=torch.int64)` and fill one column after the other. `rows` is 1 without a label, else one for each label.
</details>
<details><summary>Hint 2</summary>

In Python the window of step $t$ (counted from 0) is `codes[:, max(0, t - model.field) : t + 1]`. Why not `codes[:, t - model.field : t + 1]`?
</details>
"""


# %% exercise="generate"
@torch.no_grad()
def generate(model, count, label=None, generator=None):
    """Codes int64 (B, count), drawn one after the other; one row for each label, or a single one.

    Each step: the model on the last `model.field` samples, then one call of `draw_codes`. All
    randomness comes from `generator` (None: torch's own).
    """
    ### BEGIN SOLUTION
    rows = 1 if label is None else len(label)
    codes = torch.zeros(rows, count, dtype=torch.int64, device=model.embed.weight.device)
    for t in range(count):
        window = codes[:, max(0, t - model.field) : t + 1]  # x_t's own place is the last
        codes[:, t] = draw_codes(model(window, label)[:, :, -1], generator)
    return codes
    ### END SOLUTION


# %% check="generate" points=3
check(generate)

# %% [markdown]
r"""
Listen to an eighth of a second of your own resonator.
"""

# %% tags=["demo"]
predict(
    "How long does the computer need for an eighth of a second?",
    ["less than that", "about as long", "many times as long"],
    answer=2,
    why="The cell below takes the time.",
)

# %% tags=["demo"]
with solved("generate", "WaveNet", "mu_law_decode"):
    player = WaveNet(**trained_settings["model"]).double()
    player.load_state_dict(weights)
    start = time.perf_counter()
    drawn = generate(player, 1000, generator=torch.Generator().manual_seed(1))
    slow = time.perf_counter() - start
    sound.play(sound.resonator(1, 1000, seed=5)[0], "The real resonator, 1/8 second")
    sound.play(mu_law_decode(drawn[0], LEVELS), "Your WaveNet's resonator, 1/8 second")
    print(f"1/8 second of sound took {slow:.1f} s: {slow / 1000 * 8000:.0f} times too slow to play")

# %% [markdown]
r"""
## Exercise 7: remember, do not recompute

`QueuedConv1d` · difficulty ●●○ · 10 minutes · 3 points

To draw *one* sample, `generate` computes all columns of the window again, though only one is new. What does a step really need? Everything in WaveNet works on one column at a time, with a single exception: **the causal
convolutions look back.** So give each of them a memory.

A `QueuedConv1d` takes **one column** $x_t$ and gives one column $y_t$. It keeps the last $(k-1)\,d$ columns in a queue: the new one goes in at the end, the oldest falls out at the front. At the start the queue holds zeros: the padding of exercise 2.

*By hand*, as before $k = 2$, $d = 2$, weights $(10, 1)$:

| in | queue before | out | queue after |
|---|---|---|---|
| 1 | 0, 0 | $10 \cdot 0 + 1 = 1$ | 0, 1 |
| 2 | 0, 1 | $10 \cdot 0 + 2 = 2$ | 1, 2 |
| 3 | 1, 2 | $10 \cdot 1 + 3 = 13$ | 2, 3 |

The same numbers, one at a time.

<details><summary>Hint 1</summary>

`deque([torch.zeros_like(x)] * length, maxlen=length)` is such a queue: with `maxlen`, `append` drops the oldest by itself. Make it on the first call, when the size of a column is known.
</details>
<details><summary>Hint 2</summary>

Collect the $k$ columns that are $d$ apart, oldest first, with `torch.cat(…, dim=2)`. A convolution with kernel $k$ on $k$ columns, dilation 1, gives exactly one: `F.conv1d(columns, weight, bias)`. It is one matrix product, and as such it has less overhead: `F.linear(columns.flatten(1), weight.flatten(1), bias)[:, :, None]`.
</details>
"""

# %% tags=["demo"]
predict(
    "How long is the queue for k = 3 and d = 4?",
    ["4", "8", "12"],
    answer=1,
    why="(3 − 1) · 4. The oldest, 8 samples back, stands at place 0; the one 4 back at place 4.",
)


# %% exercise="QueuedConv1d"
class QueuedConv1d(nn.Module):
    """A causal convolution that is fed one column at a time, and remembers (k−1)·d of them."""

    def __init__(self, conv):
        super().__init__()
        self.conv = conv  # a CausalConv1d: its weight, bias, kernel_size and dilation
        self.queue = None  # nothing was heard yet

    def forward(self, x):
        """Column t of the input (B, channels_in, 1) → of the output (B, channels_out, 1), same dtype."""
        ### BEGIN SOLUTION
        k, d = self.conv.kernel_size[0], self.conv.dilation[0]
        if self.queue is None:
            length = (k - 1) * d
            self.queue = deque([torch.zeros_like(x)] * length, maxlen=length)
            self.weight = self.conv.weight.flatten(1)  # (channels_out, channels_in · k)
        taps = [self.queue[j * d] for j in range(k - 1)] + [x]  # x_{t−(k−1)d}, …, x_{t−d}, x_t
        self.queue.append(x)
        columns = torch.cat(taps, dim=2) if k > 1 else x  # (B, channels_in, k)
        return F.linear(columns.flatten(1), self.weight, self.conv.bias).unsqueeze(2)
        ### END SOLUTION


# %% check="QueuedConv1d" points=3
check(QueuedConv1d)

# %% [markdown]
r"""
## Exercise 8: the same sound, much faster

`generate_fast` · difficulty ●●○ · 10 minutes · 3 points

Now put the parts together. Make a **copy** of the model, and in the copy give every block a queue: `block.conv = QueuedConv1d(block.conv)`. Its `stack` then works on single columns, without another change. (The layers with kernel 1 look at no past; as `QueuedConv1d` with an empty queue they give the same, and are a little quicker on one column.) Each step:

 1. `stack` on the column of the sample before: zeros at the first step, as in `forward`, in the dtype of the model's weights (`player` is in double precision);
 2. `draw_codes` from the logits of that one column;
 3. `embed` the code: the next step's column.

The original must stay as it was: somebody may want to train it further. (Ramachandran and others, 2017, describe this way to generate.)

<details><summary>Hint 1</summary>

`copy.deepcopy(model)`. The column of zeros has the shape `(rows, model.channels, 1)` and should have the dtype of the weights: `model.embed.weight.new_zeros(…)`.
</details>
<details><summary>Hint 2</summary>

`embed` of codes `(B,)` has shape `(B, channels)`. Which axis is missing?
</details>
"""


# %% exercise="generate_fast"
@torch.no_grad()
def generate_fast(model, count, label=None, generator=None):
    """What `generate` returns, by computing one new column a step."""
    ### BEGIN SOLUTION
    fast = copy.deepcopy(model)
    for part in list(fast.modules()):
        for name, layer in list(part.named_children()):
            if isinstance(layer, nn.Conv1d):  # with kernel 1: an empty queue
                setattr(part, name, QueuedConv1d(layer))
    rows = 1 if label is None else len(label)
    x = model.embed.weight.new_zeros(rows, model.channels, 1)  # nothing comes before x_1
    codes = []
    with torch.inference_mode():  # no_grad, and less bookkeeping still
        for _ in range(count):
            code = draw_codes(fast.stack(x, label)[:, :, 0], generator)  # (B,)
            x = fast.embed(code)[:, :, None]
            codes.append(code)
    return torch.stack(codes, dim=1)
    ### END SOLUTION


# %% check="generate_fast" points=3
check(generate_fast)

# %% [markdown]
r"""
The same 1,000 samples again, from an equal generator. The window had 129 columns, and now there is one.
"""

# %% tags=["demo"]
predict(
    "How many times faster is it?",
    ["about 129 times", "a good deal less", "more than 129 times"],
    answer=1,
    why="A step takes time however few columns it computes.",
)

# %% tags=["demo"]
with solved("generate", "QueuedConv1d", "generate_fast", "WaveNet"):
    start = time.perf_counter()
    again = generate_fast(player, 1000, generator=torch.Generator().manual_seed(1))
    quick = time.perf_counter() - start
    print(f"equal, all 1,000 samples: {torch.equal(drawn, again)}")
    print(f"plain {slow:.2f} s, with queues {quick:.2f} s: {slow / quick:.1f} times faster")

# %% [markdown]
r"""
Not 129 times: a step takes time however few columns it computes, as the smallest network in the next cell shows. How does the gain grow with the field? Here are networks with ever more layers: the time of **one step** in the steady state, with a full window
and with queues. (In the benchmark of this course, with two stacks and whole runs of up to 2,048 samples, the curve goes further.)
"""

# %% tags=["demo"]
with solved("generate", "QueuedConv1d", "generate_fast", "WaveNet"):
    rows = []
    for layers in (3, 5, 7, 9, 11):
        torch.manual_seed(0)
        model = WaveNet(64, 32, 64, 2, [2**i for i in range(layers)]).double()
        window = torch.zeros(1, model.field + 1, dtype=torch.int64)
        seconds = []
        with torch.no_grad():
            for _ in range(4):
                start = time.perf_counter()
                model(window)
                seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        generate_fast(model, 60, generator=torch.Generator().manual_seed(0))
        step = (time.perf_counter() - start) / 60
        rows.append((model.field, 1e3 * sorted(seconds)[1], 1e3 * step))
        print("field {:>5,}: {:7.2f} ms a step plain, {:5.2f} ms with queues".format(*rows[-1]))
    fields, plain, queued = zip(*rows, strict=True)
    print(f"gain: {', '.join(f'{p / q:.1f}×' for p, q in zip(plain, queued, strict=True))}")

# %% tags=["demo"]
with solved("generate", "QueuedConv1d", "generate_fast", "WaveNet"):
    fig, ax = plt.subplots(figsize=(6, 3), constrained_layout=True)
    ax.plot(fields, plain, "s--", color="#D55E00", label="full window")
    ax.plot(fields, queued, "o-", color="#0072B2", label="queues")
    ax.set(xscale="log", yscale="log", xlabel="receptive field (samples)", ylabel="ms a step")
    ax.legend(frameon=False)
    show(
        fig,
        f"Milliseconds a step against the receptive field, both axes logarithmic. Full window: "
        f"from "
        f"{plain[0]:.1f} ms at {fields[0]} samples to {plain[-1]:.0f} ms at {fields[-1]:,}. "
        f"Queues: from {queued[0]:.1f} to {queued[-1]:.1f} ms, as the layers grow in number.",
    )

# %% [markdown]
r"""
With queues a step costs one column for each *layer*: the logarithm of the field. The plain step costs one for each layer *and each sample of the field*. For a tiny field the plain step may even win. The gain grows with the field.

It is still one step after the other. Training computed all 1,024 samples of a sound at once; drawing them takes 1,024 steps, each waiting for the last. That asymmetry belongs to every autoregressive model:

| | training | generation |
|---|---|---|
| inputs at hand | the whole sound (*teacher forcing*) | only what was drawn so far |
| parallel over time | yes: one pass | no: one step a sample |
| work for $T$ samples, $L$ layers, field $R$ | $O(TL)$ columns | $O(TLR)$ plain, $O(TL)$ with queues |
| own mistakes in the past | never seen | always (*exposure bias*, lesson 13) |

## A tune, on five strings

Five rows of the network with labels, drawn with the same generator: they differ in their label alone. (Recordings of spoken digits, with a label like a note's: `sound.spoken_digits()` downloads them once, 16 MB, CC BY-SA 4.0.)
"""

# %% tags=["demo"]
with solved("WaveNet", "generate_fast", "QueuedConv1d", "mu_law_decode"):
    strings.double()
    notes = generate_fast(strings, 2400, labels, torch.Generator().manual_seed(4))
    notes = mu_law_decode(notes, string_settings["model"]["levels"])  # (5, 2400)
    for name, note in zip(sound.NOTES, notes, strict=True):
        heard = list(sound.NOTES)[sound.pitch(note[400:])]  # the pluck itself is noise
        print(f"asked for {name}, heard {heard}")
    melody = [0, 1, 2, 3, 2, 1, 4, 3]
    sound.play(torch.cat([notes[m] for m in melody]), "A tune, every note drawn by your WaveNet")
    sound.play(
        torch.cat([sound.strings([m], 2400, seed=m)[0] for m in melody]),
        "The same tune, real strings",
    )

# %% [markdown]
r"""
## A question to answer in words

A colleague has trained a WaveNet with `padding="same"` in its convolutions. "Look," she says, "0.3 nats a sample on the resonator, far below your 1.6!"

 1. Why can this number not be a price, and how do you know *without* looking at her code?
 2. What will she hear when she generates with it, and why?
 3. Her model sees 2,047 samples back. Name one thing that a longer receptive field would cost in plain generation, and what it costs with queues.

A few sentences for each.
"""

# %% [markdown] question="too_good" points=2
r"""
### BEGIN SOLUTION
1. The entropy of a sample given the whole *true* past is 1.46 nats, and no distribution over the next code can have a smaller expected price than the entropy. So her factors are no conditionals: some output sees its own sample or a later one, and the
   "probabilities" of all sounds do not sum to 1.
2. Noise, silence or a buzz. In generation the future does not exist: the places that she fills later hold zeros, or whatever the buffer holds, and the network has learned to copy from exactly there. It has hardly learned to use the past.
3. Plain: every step computes a window as long as the field, so the time of a step grows in proportion to $R$ (and the memory of it). With queues: one more layer for a doubled field, that is one more column a step, and a queue as long as its dilation in memory.

Rubric: ½ point for "below the entropy bound" (or "the total probability exceeds 1"). ½ point for naming the leak (sees $x_t$ or the future). ½ point for "the future is missing in generation" with a plausible sound. ½ point for time proportional to
the field against time proportional to the number of layers.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

A causal convolution pads on the left only, by $(k-1)\,d$; dilations that double let $L$ layers see $1 + \sum (k-1)\,d$ samples, and a shift by one keeps $x_t$ from its own logits. Training computes all samples at once; generating computes one
at a time, and a queue of $(k-1)\,d$ columns in each convolution makes that step cost one column a layer, with the very same result. A price below the entropy is never a triumph: it is a leak.

## Go further

 - A. van den Oord, S. Dieleman, H. Zen, K. Simonyan, O. Vinyals, A. Graves, N. Kalchbrenner, A. Senior, K. Kavukcuoglu (2016). *WaveNet: A Generative Model for Raw Audio.* arXiv 1609.03499. The source of this lesson.
 - P. Ramachandran, T. Le Paine, P. Khorrami, M. Babaeizadeh, S. Chang, Y. Zhang, M. Hasegawa-Johnson, R. Campbell, T. Huang (2017). *Fast Generation for Convolutional Autoregressive Models.* ICLR workshop. The queues.
 - T. Salimans, A. Karpathy, X. Chen, D. Kingma (2017). *PixelCNN++.* ICLR. Mixtures of logistics for 8-bit data.
 - A. van den Oord and others (2018). *Parallel WaveNet: Fast High-Fidelity Speech Synthesis.* ICML. A student network that draws all samples at once.
 - K. Karplus, A. Strong (1983). *Digital Synthesis of Plucked-String and Drum Timbres.* Computer Music Journal 7. Noise in a loop.
 - N. Gordon, D. Salmond, A. Smith (1993). *Novel approach to nonlinear/non-Gaussian Bayesian state estimation.* IEE Proceedings F. The particle filter.

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>What do "causal" and "dilated" each contribute?</summary>

Causal: outputs see the past only, so that the factors are conditionals and can be sampled. Dilated: the field grows with the sum of the dilations, with two weights a layer.
</details>
<details><summary>A stack has kernel 3 and dilations 1, 2, 4, 8, twice. Its receptive field?</summary>

$1 + 2 \cdot 2 \cdot 15 = 61$.
</details>
<details><summary>The convolutions are causal. Why must the input be shifted as well?</summary>

A causal output sees the present. The logits of $x_t$ may not: they would be a copy of the answer.
</details>
<details><summary>How long is the queue of a convolution with kernel 3 and dilation 8, and what does it hold at the start?</summary>

16 columns, all zeros: the padding.
</details>
<details><summary>Why does a categorical output suit sound, and what does it not know?</summary>

It takes any shape, two peaks for "rising or falling" too. It does not know that neighboring codes are neighboring amplitudes; it must learn that from data.
</details>
<details><summary>A piece is cut from the middle of a song. Which samples should not be priced?</summary>

The first ones, as many as the receptive field: their past was cut away. As `given` they serve as past only.
</details>
"""

# %% [markdown]
r"""
## Appendix: what a scan cannot do, and at full size

Lesson 4 turned a sweep into a prefix sum. Could *drawing* sound be one? A **linear** recurrence can: two steps $x \mapsto Ax + b$ make one of the same form, $A'(Ax + b) + b' = (A'A)\,x + (A'b + b')$, so neighbors are joined in pairs, pairs in fours, and $T$ samples take $\lceil \log_2 T \rceil$ rounds. The resonator is one.

In a WaveNet (or a GRU, lesson 11) a $\tanh$, a gate and a draw stand between two steps: joined, they are a longer program, not one step of the same form. No round is saved.
"""


# %%
def linear_scan(A, b):
    """x_t = A_t x_{t−1} + b_t from x_0 = 0, in rounds: (T, k, k) and (T, k) → all x_t, (T, k)."""
    reach = 1
    while reach < len(b):
        carried = (A[reach:] @ b[:-reach, :, None])[:, :, 0]
        b = torch.cat([b[:reach], b[reach:] + carried])
        A = torch.cat([A[:reach], A[reach:] @ A[:-reach]])
        reach *= 2
    return b


# %% tags=["demo"]
a1, a2, sigma = sound.coefficients()
one = torch.tensor([[a1, a2], [1.0, 0.0]], dtype=torch.float64)  # (x_t−1, x_t−2) → (x_t, x_t−1)
kicks = torch.zeros(8000, 2, dtype=torch.float64)
kicks[:, 0] = sigma * torch.randn(8000, generator=torch.Generator().manual_seed(0))
start = time.perf_counter()
at_once = linear_scan(one.expand(8000, 2, 2), kicks)[:, 0]
middle = time.perf_counter()
state, in_turn = torch.zeros(2, dtype=torch.float64), []
for kick in kicks:
    state = one @ state + kick
    in_turn.append(state[0])
waited = time.perf_counter() - middle
print(
    f"8,000 samples of the resonator, largest difference {(at_once - torch.stack(in_turn)).abs().max():.0e}"
)
print(
    f"{math.ceil(math.log2(8000))} rounds {1e3 * (middle - start):.0f} ms, 8,000 steps {1e3 * waited:.0f} ms"
)

# %% [markdown]
r"""
On a CUDA card, the patient network by your own hands: 3,000 steps, and a second of sound. Elsewhere, the stored result (`size = "smaller"` trains here).
"""


# %%
def make_full(setting, n):
    """The model of sounds at 64 levels, as large as the setting says."""
    dilations = [2**i for i in range(setting.blocks)]
    return WaveNet(LEVELS, setting.channels, 2 * setting.channels, 2, dilations)


def data_full(count=2400):
    """Codes of the resonator, (B, T), to train, to validate and to test."""
    sizes = ((count, 1024, 20), (count // 20, 1024, 21), (8, 4096, 12))
    return tuple(mu_law_encode(sound.resonator(*size), LEVELS) for size in sizes)


def draw_full(model, count, generator):
    """One second of sound, as codes."""
    return generate_fast(model, 8000, generator=generator)


def loss_full(model, codes):
    """Nats a sample."""
    return model.nll(codes) / codes.shape[1]


# %% tags=["demo", "unfolded"]
size = "auto"
with solved("mu_law_encode", "mu_law_decode", "WaveNet", "generate_fast"):
    setting = full_size.choose("WaveNet", size)
    run = full_size.train(
        "WaveNet",
        make_full,
        draw_full,
        size=size,
        setting=setting,
        loss=loss_full,
        data=setting and data_full(setting.images or 2400),
    )
    display(run)
    if run.samples is not None:
        sound.play(mu_law_decode(run.samples[0], LEVELS), "A second, drawn by your WaveNet")
