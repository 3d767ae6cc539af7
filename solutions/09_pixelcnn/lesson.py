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
#     name: 09_pixelcnn
#     title: "PixelCNN: images in raster order"
#     question: "How does a convolution predict every pixel of an image at once, without seeing any of them?"
#     minutes: 90
#     prerequisites: [02_chain_rule, 05_made]
# ---

# %%
import math
import time

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from IPython.display import display
from torch import nn

from autograder import check
from course import data, full_size, kept_network
from course.demo import solved
from course.picture import show
from course.training import evaluate, fit
from figures.predict import predict
from figures.receptive_field import ReceptiveFieldExplorer
from figures.sampling import SamplingPlayer

# %% [markdown]
r"""
## What may a pixel know?

Read an image as you read a page: row by row, from left to right. The chain rule then says

$$p(x) = \prod_{i=1}^{n} p(x_i \mid x_{<i}),$$

where $x_{<i}$ are all rows above, and this row up to here.

MADE (lesson 5) gave all $n$ conditionals in one pass, and knew nothing of images: every pixel had weights of its own. A **convolution** uses the same small kernel at
every place. What it learns about a stroke in one corner holds in all corners, and it serves images of any size.

Below is an ordinary network of two 3×3 convolutions. **Point at a pixel of the output** (or walk with the arrow keys) and look what it sees.
"""

# %% tags=["demo"]
ordinary = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 1, 3, padding=1))
ReceptiveFieldExplorer.of_model(ordinary, 7, 7, reach=2)

# %% [markdown]
r"""
Each pixel sees itself and its future. Such a network need not predict anything: it can copy.

The remedy of van den Oord, Kalchbrenner and Kavukcuoglu (2016) fits in a line: **multiply each kernel by a mask of zeros and ones**. This lesson is about which ones, about
what that costs, and about how to get back what it costs.

"""

# %% tags=["demo"]
predict(
    "Of the 9 weights of a 3×3 kernel, how many may the first layer keep, and how many a later one?",
    ["4 and 4", "4 and 5", "5 and 5", "8 and 9"],
    answer=1,
    why="The first keeps three above and one to the left. A later one keeps the middle as well: what it "
    "reads there is a feature of this pixel's past, and no longer the pixel itself.",
)

# %% [markdown]
r"""
## Exercise 1: which weights may stay

`conv_mask` · difficulty ●●○ · 15 minutes · 4 points

Two kinds of mask, for kernels of odd height and width:

 - **A**, for the layer that reads the image: all rows above the middle, and the middle row *left of* the middle.
 - **B**, for all later layers: the same, and the middle itself.

$$
A = \begin{pmatrix} 1 & 1 & 1 \\ 1 & 0 & 0 \\ 0 & 0 & 0 \end{pmatrix}\qquad
B = \begin{pmatrix} 1 & 1 & 1 \\ 1 & 1 & 0 \\ 0 & 0 & 0 \end{pmatrix}
$$

**Colors.** A pixel of a color image is three numbers, and they too have an order: R, then G, then B (here blue, and no kind of mask). R sees only the past; **G sees R as well; B sees R and G**. This concerns the
middle of the kernel alone: of *past* pixels everybody may see all colors.

Deep layers have many channels, so each channel gets a color to serve. With `colors = 3`, channels 0, 3, 6, … serve R, channels 1, 4, 7, … serve G, channels 2, 5, 8, … serve B. In short: channel $k$
has the color $k \bmod 3$. At the middle of the kernel:

| kind | the connection from channel $i$ to channel $o$ exists where |
|---|---|
| A | color($i$) $<$ color($o$) |
| B | color($i$) $\le$ color($o$) |

*By hand.* Three channels in, three out. The middles, rows for the outputs R, G, B:

$$
A_{\text{middle}} = \begin{pmatrix} 0 & 0 & 0 \\ 1 & 0 & 0 \\ 1 & 1 & 0 \end{pmatrix}\qquad
B_{\text{middle}} = \begin{pmatrix} 1 & 0 & 0 \\ 1 & 1 & 0 \\ 1 & 1 & 1 \end{pmatrix}
$$

With `colors = 1` every channel has color 0: A's middle is 0 and B's is 1, as in the pictures above. You have met $<$ and $\le$ before: they are MADE's $>$ and $\ge$.

<details><summary>Hint 1</summary>

Start from zeros and fill two rectangles: the rows above, and the part of the middle row that lies left. With odd height $h$ the middle row is `h // 2`.
</details>
<details><summary>Hint 2</summary>

`torch.arange(channels_out) % colors` lists the colors of the outputs. A vector `a[:, None]` compared with `b[None, :]` gives the matrix (out, in) for the middle.
</details>
"""


# %% exercise="conv_mask"
def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):
    """The mask of a convolution over images in raster order: zeros and ones, as floats.

    kind: "A" or "B". kernel_size: odd, an int or a pair (height, width). Channel k has color k % colors.
    Returns (channels_out, channels_in, height, width), like `nn.Conv2d.weight`.
    """
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    ### BEGIN SOLUTION
    mask = torch.zeros(channels_out, channels_in, height, width)
    mask[:, :, : height // 2] = 1  # the rows above
    mask[:, :, height // 2, : width // 2] = 1  # this row, left of the middle
    of_out = torch.arange(channels_out)[:, None] % colors
    of_in = torch.arange(channels_in)[None, :] % colors
    middle = of_in < of_out if kind == "A" else of_in <= of_out  # (out, in)
    mask[:, :, height // 2, width // 2] = middle.float()
    return mask
    ### END SOLUTION


# %% check="conv_mask" points=4
check(conv_mask)

# %% [markdown]
r"""
## Exercise 2: a convolution with a mask

`MaskedConv2d` · difficulty ●○○ · 5 minutes · 2 points

$$y = (W \circ M) * x + b.$$

The mask is a **buffer** (saved and moved with the layer, never trained), and it is applied **on every call**: weights that were set to zero once are moved away from zero by the first training step.

*By hand.* A 1×3 kernel $W = (2, 5, 7)$ of kind A has the mask $(1, 0, 0)$. On the row $x = (1, 10, 100)$, with zeros beyond the border and no bias: $y = (0,\; 2 \cdot 1,\; 2 \cdot 10) = (0, 2, 20)$. The 5 would
have let each pixel see itself, the 7 its neighbor on the right.

<details><summary>Hint 1</summary>

`self.register_buffer("mask", …)` in the constructor. Which of your functions knows the mask?
</details>
<details><summary>Hint 2</summary>

`nn.Conv2d` itself computes `F.conv2d(x, self.weight, self.bias, padding=self.padding)`.
</details>
"""


# %% exercise="MaskedConv2d"
class MaskedConv2d(nn.Conv2d):
    """A convolution that keeps height and width, and sees what `conv_mask` allows.

    The mask is the buffer `self.mask`, and is applied on every call.
    """

    def __init__(self, kind, channels_in, channels_out, kernel_size, colors=1):
        height, width = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        padding = (height // 2, width // 2)
        super().__init__(channels_in, channels_out, (height, width), padding=padding)
        ### BEGIN SOLUTION
        mask = conv_mask(kind, kernel_size, channels_in, channels_out, colors)
        self.register_buffer("mask", mask)
        ### END SOLUTION

    def forward(self, x):
        """(B, channels_in, H, W) → (B, channels_out, H, W)."""
        ### BEGIN SOLUTION
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)
        ### END SOLUTION


# %% check="MaskedConv2d" points=2
check(MaskedConv2d)

# %% [markdown]
r"""
## Exercise 3: how far does a stack see?

`receptive_field` · difficulty ●●○ · 10 minutes · 3 points

One layer sees the places where its mask is 1. Written as **offsets** (rows down, columns right) from the pixel that is predicted, a 3×3 layer of kind A sees

$$\{(-1,-1),\; (-1,0),\; (-1,1),\; (0,-1)\}.$$

A second layer reads, at each of *its* offsets, a value that has already seen the offsets of the first. So the offsets **add**: the field of two layers is every sum of one offset of each.

Put a 3×3 of kind B, which has (0, 0) as well, on top. 5×5 pixels lie within two steps of this one, 12 of them before it.
"""

# %% tags=["demo"]
predict(
    "The two layers together see 11 of the 12. Which one is missing?",
    [
        "in this row, two to the left",
        "one row up, two to the right",
        "two rows up, two to the right",
    ],
    answer=1,
    why="(−1, 2) is no sum of two offsets: one step goes up, so the other stays in its row, and no step goes right there.",
)

# %% [markdown]
r"""
*By hand.* The sums of the two layers, row by row:

| row | columns | how many |
|---|---|---|
| −2 | −2 … 2 | 5 |
| −1 | −2 … 1 | 4 |
| 0 | −2, −1 | 2 |

Eleven offsets.

<details><summary>Hint 1</summary>

Start with the field that contains only `(0, 0)`: a stack without layers sees its own pixel. Take in one layer after the other.
</details>
<details><summary>Hint 2</summary>

A set comprehension `{(a + c, b + d) for a, b in field for c, d in layer}` forms all sums. The offsets of one layer run over rows −p … 0 with p = `kernel_size // 2`; which columns does the row 0 have?
</details>
"""


# %% exercise="receptive_field"
def receptive_field(layers):
    """All offsets (rows, columns) that a stack of masked convolutions sees: a set of pairs of ints.

    layers: pairs (kind, kernel_size), first layer first, kernels square and odd: [("A", 7), ("B", 3)].
    No layers see (0, 0) alone.
    """
    ### BEGIN SOLUTION
    field = {(0, 0)}
    for kind, size in layers:
        p = size // 2
        above = {(r, c) for r in range(-p, 0) for c in range(-p, p + 1)}
        left = {(0, c) for c in range(-p, 1 if kind == "B" else 0)}
        field = {(a + c, b + d) for a, b in field for c, d in above | left}
    return field
    ### END SOLUTION


# %% check="receptive_field" points=3
check(receptive_field)

# %% [markdown]
r"""
### Look at your stack

The explorer builds stacks of **your** `MaskedConv2d`, changes one pixel of the input at a time, and draws what really moved. The rings are what **your** `receptive_field` predicts.

 1. Take one layer, and switch it from A to B. What is said?
 2. Go to the pixel in row 8, column 5, and move the slider from 1 to 5 layers. The field grows. **In which direction does it not?**
 3. Will more layers fill the white corner on the right? Predict, then think of one layer's step: how far up must the signal go for each step to the right?
"""


# %%
def plain_stack(layers):
    """Masked convolutions one upon the other, one channel in and one out."""
    widths = [1, *[4] * (len(layers) - 1), 1]
    sizes = zip(layers, widths, widths[1:], strict=False)
    return nn.Sequential(*(MaskedConv2d(kind, a, b, size) for (kind, size), a, b in sizes))


# %% tags=["demo"]
ReceptiveFieldExplorer.of_stacks({"plain": plain_stack}, {"plain": receptive_field}, side=11)

# %% [markdown]
r"""
That corner is the **blind spot**. To come one column to the right, a signal must go up one row at least: no kernel reads to the right in its own row, ever. Whatever lies flatter than 45° on the right is invisible, *at any depth*. These pixels are legal
past: the stroke that comes in from the upper right, for one.

How much is lost? With $L$ layers of 3×3 the window holds $2L^2 + 2L$ legal pixels, and the stack sees $L + \tfrac32 L(L+1)$ of them. What is missing, $\tfrac12 L(L-1)$, is a share of

$$\frac{L-1}{4\,(L+1)} \;\longrightarrow\; \frac14.$$

*Is that so?* Van den Oord et al. (2016b, section 2.2) speak of up to a quarter of the field that 3×3 filters could have. The cell counts with your function.

And it counts a second loss, that of a common mistake: **A in every layer** is causal too. (The control is the same stack with B above its first layer.)
"""

# %% tags=["demo"]
predict(
    "Every layer is of kind A: which pixels does the stack lose?",
    ["the nearest ones", "those of the upper right", "the farthest ones"],
    answer=0,
    why="Each layer steps back by one pixel at least.",
)

# %% tags=["demo"]
with solved("receptive_field"):
    for depth in (2, 5, 15, 40):
        seen = len(receptive_field([("A", 3)] + [("B", 3)] * (depth - 1)))
        legal = 2 * depth**2 + 2 * depth
        share = (legal - seen) / legal
        formula = (depth - 1) / (4 * (depth + 1))
        print(f"{depth:2} layers: {seen:4} of {legal:4} seen, {share:.1%} lost ({formula:.1%})")
    print("and if every layer is of kind A, where the later ones should be B:")
    for depth in (2, 3, 5):
        all_a, right = (
            receptive_field([("A", 3)] * depth),
            receptive_field([("A", 3)] + [("B", 3)] * (depth - 1)),
        )
        left = sorted(-c for r, c in right - all_a if r == 0)
        print(
            f"{depth:2} layers: {len(all_a):3} of the {len(right):3} offsets, {len(right - all_a)} lost; "
            f"in its own row those {left} to the left"
        )

# %% [markdown]
r"""
## Exercise 4: two stacks and no blind spot

`GatedBlock` · difficulty ●●● · 15 minutes · 4 points

The repair (van den Oord, Kalchbrenner, Vinyals et al., 2016b): split the work between two stacks of features.

 - The **vertical** stack sees whole rows: all columns of row $r$ and of the rows above. No mask is needed: its kernel simply has no rows below.
 - The **horizontal** stack walks along row $r$, and sees only what is to the left.

The vertical stack hands down what it knows of **the rows above**. There is one trap. At row $r$ it has seen row $r$ itself, the pixel to be predicted and its future included. So the horizontal stack at row $r$ gets what the
vertical one knew at row **$r - 1$**: shift down by one row, and put zeros on top.

Both stacks have a **gate** in place of a ReLU, with twice as many channels before it as after:

$$\operatorname{gate}(a, b) = \tanh(a) \cdot \sigma(b).$$

*By hand.* $a = 0.5493$, $b = 1.0986$: $\tanh a = 0.5$, $\sigma(b) = 0.75$, so the gate gives $0.375$. With $b = -20$ it is shut, whatever $a$ says.

One block, with its layers from the constructor:

| | |
|---|---|
| $u = \text{vertical}(v)$ | (B, 2C, H, W), before the gate; $v$ padded by `reach` rows on top and `reach` columns on both sides |
| $v' = \operatorname{gate}(u)$ | the new vertical features |
| $w = \text{across}(h) + \text{down}(u \text{ shifted})$ | (B, 2C, H, W) |
| $h' = \text{out}(\operatorname{gate}(w))$, plus $h$ in a block of kind B | the new horizontal features |

<details><summary>Why does the horizontal stack never speak to the vertical one?</summary>

$h$ at row $r$ knows only what lies left of it. A vertical stack that reads $h$ in place of $v$ inherits that, and the blind spot is back. (One that reads both would lose nothing.)
</details>

<details><summary>Hint 1</summary>

`F.pad(x, (left, right, top, bottom))` pads the last two axes. To shift down by one row: pad one row on top, and drop the last one.
</details>
<details><summary>Hint 2</summary>

`a, b = u.chunk(2, dim=1)` cuts the channels in two halves. What goes down is $u$, not $v'$.
</details>
"""

# %% tags=["demo"]
predict(
    "What becomes of the training loss without the shift by one row?",
    ["nothing changes", "it gets worse", "it falls to almost nothing"],
    answer=2,
    why="The pixel to be predicted, and those right of it, are seen: they can be copied.",
)


# %% exercise="GatedBlock"
class GatedBlock(nn.Module):
    """One gated layer of both stacks (van den Oord et al., 2016b, figure 2).

    kind: "A" for the block that reads the image, else "B". kernel_size: odd. `channels` (and for
    kind "B" channels_in, the same number) is a multiple of `colors`.
    """

    def __init__(self, kind, channels_in, channels, kernel_size, colors=1):
        super().__init__()
        self.kind, self.reach = kind, kernel_size // 2
        self.vertical = nn.Conv2d(channels_in, 2 * channels, (self.reach + 1, kernel_size))
        self.down = nn.Conv2d(2 * channels, 2 * channels, 1)
        row = (1, kernel_size)
        self.across = MaskedConv2d(kind, channels_in, 2 * channels, row, colors)
        self.out = MaskedConv2d("B", channels, channels, 1, colors)

    def forward(self, v, h):
        """Both stacks (v, h), each (B, channels_in, H, W) → the new ones (B, channels, H, W)."""
        ### BEGIN SOLUTION
        p = self.reach
        u = self.vertical(F.pad(v, (p, p, p, 0)))  # (B, 2C, H, W), row r sees rows ≤ r
        above = F.pad(u, (0, 0, 1, 0))[:, :, :-1]  # row r sees rows < r
        a, b = u.chunk(2, dim=1)
        v = torch.tanh(a) * torch.sigmoid(b)
        a, b = (self.across(h) + self.down(above)).chunk(2, dim=1)
        new = self.out(torch.tanh(a) * torch.sigmoid(b))
        return v, (h + new if self.kind == "B" else new)
        ### END SOLUTION


# %% check="GatedBlock" points=4
check(GatedBlock)

# %% [markdown]
r"""
### Look again

Now the explorer has a second network: blocks of yours, stacked. Choose the same pixel and five layers, and switch between **plain** and **gated**. What should the gated field look like? A rectangle: with $S$ the sum of the
blocks' reaches, the rows $-1-S$ … $-1$ over the columns $-S$ … $S$, and $S$ pixels to the left in row 0.

Then switch the later layers to A, and say what goes wrong; and the first to B.
"""


# %%
class GatedStack(nn.Module):
    """Gated blocks one upon the other, and what the horizontal stack says at the end."""

    def __init__(self, layers):
        super().__init__()
        widths = [1, *[4] * len(layers)]
        sizes = zip(layers, widths, widths[1:], strict=False)
        self.blocks = nn.ModuleList(GatedBlock(kind, a, b, size) for (kind, size), a, b in sizes)

    def forward(self, x):
        v = h = x
        for block in self.blocks:
            v, h = block(v, h)
        return h.sum(1, keepdim=True)


def gated_field(layers):
    """The offsets that a gated stack sees: a rectangle above, and the row to the left."""
    s = sum(size // 2 for _, size in layers)
    rows = {(r, c) for r in range(-1 - s, 0) for c in range(-s, s + 1)}
    return rows | {(0, c) for c in range(-s, 0)}


# %% tags=["demo"]
ReceptiveFieldExplorer.of_stacks(
    {"plain": plain_stack, "gated": GatedStack},
    {"plain": receptive_field, "gated": gated_field},
    side=11,
    depth=4,
)

# %% [markdown]
r"""
> "A convolution whose receptive field is masked so it can only see pixels to the **upper left** of the current position."

*Is that so?* You will read this often. Count: in the middle of an 11×11 image 60 pixels come before this one. How many of them lie above and *not to the right*?

<details><summary>Answer</summary>

30 above in this column or left of it, and 5 to the left: 35. The other 25 lie to the upper **right**, and are just as legal. Raster order is not "upper left". A model of the upper left throws them away; the plain stack sees some of them, the gated stack all.
</details>
"""

# %% tags=["demo"]
with solved("receptive_field"):
    five = [("A", 3)] + [("B", 3)] * 4
    before = [(r, c) for r in range(11) for c in range(11) if (r, c) < (5, 5)]
    print(f"{sum(c <= 5 for r, c in before)} of {len(before)} pixels are not to the right")
    for name, field in (("plain", receptive_field(five)), ("gated", gated_field(five))):
        right = sum(c > 0 for r, c in field if r >= -5)
        print(f"{name}: of the 25 pixels to the upper right, five layers see {right}")

# %% [markdown]
r"""
## Exercise 5: PixelCNN

`PixelCNN` · difficulty ●●● · 25 minutes · 6 points

The pieces are there; now the model. A pixel has one of `levels` values, and the network answers with a **categorical distribution** over them: one logit for each level, each color, each pixel. It does not know that 7 lies between 6 and 8: whatever it knows of that, it has learned.

**The constructor**: one gated block for each kernel size, in an `nn.ModuleList` named `blocks` (**kind A for the first, B for the rest**), then two masked 1×1 convolutions, `hidden` from C to C channels and `output` from C to `levels * colors`. Which kind do these two have?

**`forward`**: the image, scaled, is the first $v$ and the first $h$. Through the blocks (with `self.dropout` on $h$ after each), then $\text{output}(\text{relu}(\text{hidden}(\text{relu}(h))))$. Channel $k$ of the output has color $k \bmod \text{colors}$, so the channels unfold into
`(levels, colors)`, in this order, and the result is (B, levels, colors, H, W).

**`pixel_nll`**: $-\log p$ of each number of the image, in nats, (B, colors, H, W). Their sum over an image is its NLL, and

$$\text{bits per dimension} = \frac{-\log p(x)}{\ln 2 \cdot \text{colors} \cdot H \cdot W}.$$

*By hand.* 17.2 nats for an image of 64 bits are $17.2 / (64 \cdot 0.6931) = 0.388$ bits per dimension: a file of 64 bits shrinks to 25.

**`inpaint`**: keep the first rows, draw the rest: pixel by pixel, color by color, each from its conditional, **and put back into the image before the next pass**. Nothing kept is all of `sample`.

*By hand*, how `draw_levels` below draws: $p = (0.5, 0.25, 0.25)$ has the running sums $0.5, 0.75, 1$. The uniform number $u = 0.6$ lies above one of them: level 1.

<details><summary>Hint 1</summary>

`y.view(B, levels, colors, H, W)` cuts the channels as asked. With the classes on axis 1, `F.cross_entropy(logits, x, reduction="none")` needs nothing more.
</details>
<details><summary>Hint 2</summary>

Three nested loops, for rows, columns, colors. `self(x)[:, :, k, r, c]` are the (B, levels) logits of one number. Work on a copy of `x`: `x.clone()`.
</details>
"""


# %%
def draw_levels(logits, generator=None):
    """One level for each row of logits (B, levels): (B,), from one uniform number each."""
    edges = logits.double().softmax(dim=1).cumsum(dim=1)
    like = {"dtype": edges.dtype, "device": edges.device}
    u = torch.rand(len(logits), 1, generator=generator, **like)
    return (u > edges[:, :-1]).sum(dim=1)


# %% exercise="PixelCNN"
class PixelCNN(nn.Module):
    """A distribution over images (B, colors, H, W) of whole numbers 0 … levels − 1, in raster order.

    channels is a multiple of colors; kernels: the kernel size of each gated block.
    """

    def __init__(self, levels, colors=1, channels=24, kernels=(7, 3, 3), dropout=0.0):
        super().__init__()
        self.levels, self.colors = levels, colors
        self.dropout = nn.Dropout(dropout)
        ### BEGIN SOLUTION
        self.blocks = nn.ModuleList([GatedBlock("A", colors, channels, kernels[0], colors)])
        for size in kernels[1:]:
            self.blocks.append(GatedBlock("B", channels, channels, size, colors))
        self.hidden = MaskedConv2d("B", channels, channels, 1, colors)
        self.output = MaskedConv2d("B", channels, levels * colors, 1, colors)
        ### END SOLUTION

    def scale(self, x):
        """Levels as floats from −1 to 1."""
        return x.to(self.output.weight.dtype) * (2 / (self.levels - 1)) - 1

    def forward(self, x):
        """Levels (B, colors, H, W) → logits (B, levels, colors, H, W), all in one pass."""
        ### BEGIN SOLUTION
        v = h = self.scale(x)
        for block in self.blocks:
            v, h = block(v, h)
            h = self.dropout(h)
        y = self.output(F.relu(self.hidden(F.relu(h))))
        return y.view(len(x), self.levels, self.colors, *x.shape[2:])
        ### END SOLUTION

    def pixel_nll(self, x):
        """−log p of each number given those before it, in nats: (B, colors, H, W)."""
        ### BEGIN SOLUTION
        return F.cross_entropy(self(x), x, reduction="none")
        ### END SOLUTION

    def nll(self, x):
        """−log p(x) in nats, (B,)."""
        return self.pixel_nll(x).flatten(1).sum(1)

    def bits_per_dim(self, x):
        """−log₂ p(x) divided by how many numbers an image has: (B,)."""
        ### BEGIN SOLUTION
        return self.nll(x) / (math.log(2) * x[0].numel())
        ### END SOLUTION

    @torch.no_grad()
    def inpaint(self, x, rows, generator=None):
        """A copy of x whose first `rows` rows are kept, and the others drawn given them.

        All randomness comes from `generator` (None: torch's own).
        """
        ### BEGIN SOLUTION
        x = x.clone()
        for r in range(rows, x.shape[2]):
            for c in range(x.shape[3]):
                for k in range(self.colors):
                    x[:, k, r, c] = draw_levels(self(x)[:, :, k, r, c], generator)
        return x
        ### END SOLUTION

    def sample(self, count, height, width, generator=None):
        """Images (count, colors, height, width) drawn from p."""
        size, where = (count, self.colors, height, width), self.output.weight.device
        empty = torch.zeros(size, dtype=torch.long, device=where)
        return self.inpaint(empty, 0, generator)


# %% check="PixelCNN.forward" points=2
check(PixelCNN, "forward")

# %% check="PixelCNN.pixel_nll" points=1
check(PixelCNN, "pixel_nll")

# %% check="PixelCNN.bits_per_dim" points=1
check(PixelCNN, "bits_per_dim")

# %% check="PixelCNN.inpaint" points=1
check(PixelCNN, "inpaint")

# %% check="PixelCNN" points=1
check(PixelCNN)

# %% [markdown]
r"""
### The whole distribution, once

Color images of 1×2 pixels with 2 levels: 6 bits, 64 images. The cell adds up their 64 probabilities, for random weights that were never trained, and asks what the images cost. Then look at a color network in the explorer: choose a pixel, and go through its three outputs R, G, B (key `c`). Which inputs *of the same pixel* does each of them see?
"""

# %% tags=["demo"]
predict(
    "What does an image cost, in the mean over all 64, each counted once?",
    ["less than 6 bits", "6 bits", "more than 6 bits"],
    answer=2,
    why="The probabilities sum to 1 and are not all 1/64: the mean of −log₂ p is then above log₂ 64 = 6, "
    "the cost of even ones (Gibbs' inequality, lesson 6).",
)

# %% tags=["demo"]
with solved("PixelCNN"):
    bits = torch.cartesian_prod(*[torch.tensor([0, 1])] * 6)  # (64, 6)
    torch.manual_seed(1)
    small = PixelCNN(levels=2, colors=3, channels=6)
    for weight in small.parameters():
        nn.init.normal_(weight)
    nats = small.nll(bits.view(64, 3, 1, 2))
    print(f"the 64 probabilities sum to {nats.neg().exp().sum():.6f}")
    print(f"an image costs {nats.mean() / math.log(2):.1f} bits, in the mean over all 64")
    tiny = PixelCNN(levels=4, colors=3, channels=6, kernels=(3, 3))
    display(ReceptiveFieldExplorer.of_model(tiny, 5, 5, colors=3, levels=4, reach=2))

# %% [markdown]
r"""
## Digits in 16 shades: a number to beat

1,797 digits of 8×8 pixels, each pixel now one of 16 shades of gray. The baseline: each pixel drawn by itself, with the frequencies that its 16 levels have in the training set.

A uniform pixel costs $\log_2 16 = 4$ bits.
"""

# %% tags=["demo"]
predict(
    "How many of the 4 bits does a pixel cost the network, which sees the neighbors?",
    ["about 3.3", "about 2.6", "about 1.75"],
    answer=2,
    why="The third cell below trains it.",
)

# %%
shades = data.digits(levels=16, flat=False)  # int64, (…, 1, 8, 8)
budget = {"epochs": 14, "batch_size": 25, "lr": 1e-2, "weight_decay": 0.1, "seed": 0}

# %% tags=["demo"]
counts = F.one_hot(shades.train, 16).sum(0).double() + 0.5  # (1, 8, 8, 16); no count of 0
chance = (counts / counts.sum(-1, keepdim=True)).log2()
baseline = F.one_hot(shades.test, 16).mul(-chance).sum((1, 2, 3, 4)) / 64  # (300,) bits per dim
print("uniform                4.000 bits per dimension")
print(f"independent pixels     {baseline.mean():.3f} bits per dimension")

# %% tags=["demo"]
with solved("PixelCNN"):
    torch.manual_seed(0)  # the weights that a layer starts with come from the global generator
    gray = PixelCNN(levels=16, dropout=0.1)
    display(fit(gray, shades.train, shades.valid, **budget))
    bits, error = evaluate(gray, shades.test, loss=lambda model, x: model.bits_per_dim(x))
    print(f"independent pixels     {baseline.mean():.3f} bits per dimension")
    print(f"PixelCNN               {bits:.3f} ± {error:.3f} (standard error over the test images)")

# %% [markdown]
r"""
Now watch it paint. The player shows six samples, drawn by your `sample`, and for one of them the distribution that each pixel was drawn from. Press play, or step with the arrow keys. **Look for** pixels where the network is sure (white ground), and for those where a stroke is decided.
"""

# %% tags=["demo"]
with solved("PixelCNN"):
    display(SamplingPlayer.of(gray, 6, 8, 8, generator=torch.Generator().manual_seed(3)))

# %% [markdown]
r"""
## Half a digit

Conditioning on the past is free: give the upper half, and draw the rest. And since the likelihood is exact, so is that of each completion:

$$\log p(\text{lower} \mid \text{upper}) = \log p(x) - \log p(\text{upper}) = \sum_{i \,\in\, \text{lower}} \log p(x_i \mid x_{<i}).$$

Is the true lower half more likely than the drawn ones? The numbers above the pictures say.
"""

# %% tags=["demo"]
with solved("PixelCNN"):
    chosen, inpaint = shades.test[[1, 3, 4]], gray.inpaint
    pictures = [chosen] + [
        inpaint(chosen, 4, torch.Generator().manual_seed(seed)) for seed in range(6)
    ]
    fig, axes = plt.subplots(3, 8, figsize=(9, 3.9), constrained_layout=True)
    words = "Three digits, their upper halves, and six endings drawn for each. Log-likelihoods: "
    for k, images in enumerate(pictures):
        with torch.no_grad():
            nats = -gray.pixel_nll(images)[:, :, 4:].flatten(1).sum(1)  # the lower half
        for row, (image, value) in enumerate(zip(images, nats, strict=True)):
            ax = axes[row, k + (k > 0)]
            ax.imshow(image[0], cmap="gray_r", vmin=0, vmax=15)
            ax.axhline(3.5, color="#D55E00", linestyle=":")
            ax.set_title(f"{'true ' if k == 0 else ''}{value:.1f}", fontsize=9)
            words += f"{'true' if k == 0 else 'drawn'} {value:.1f}; "
    for ax, image in zip(axes[:, 1], chosen, strict=True):
        ax.imshow(image[0, :4], cmap="gray_r", vmin=0, vmax=15, extent=(-0.5, 7.5, 3.5, -0.5))
        ax.set(ylim=(7.5, -0.5), title="given")
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    show(fig, words + "nats.", "log p(lower half | upper half) in nats above each picture")

# %% [markdown]
r"""
No ending is "the" answer: the model holds a distribution over them, and you see draws. A model that always takes the most likely level would give one and the same picture each time.

## Beside lesson 5

The same digits in black and white, as lessons 3 to 5 have them, so that numbers can be compared. MADE with 500 hidden units is made anew in the cell, in a few lines.
"""

# %% tags=["demo"]
predict(
    "A convolution knows that images are images, MADE knows 64 columns of a table. Who wins, on 1,297 images?",
    ["PixelCNN, by more than a nat", "PixelCNN, by less", "MADE"],
    answer=2,
    why="The cells below train both.",
)


# %%
class OneMADE(nn.Module):
    """MADE with one hidden layer, in the natural order of the pixels (lesson 5)."""

    def __init__(self, n=64, hidden=500):
        super().__init__()
        degree, place = 1 + torch.randint(n - 1, (hidden,)), 1 + torch.arange(n)
        self.first, self.last = nn.Linear(n, hidden), nn.Linear(hidden, n)
        self.register_buffer("inward", (degree[:, None] >= place).float())
        self.register_buffer("outward", (place[:, None] > degree).float())

    def nll(self, x):
        """−log p(x) in nats, (B,), of bits (B, 1, 8, 8)."""
        x = x.flatten(1).float()
        hidden = F.relu(F.linear(x, self.first.weight * self.inward, self.first.bias))
        logits = F.linear(hidden, self.last.weight * self.outward, self.last.bias)
        return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)


# %% tags=["demo"]
with solved("PixelCNN"):
    black = data.digits(levels=2, flat=False)
    torch.manual_seed(0)
    made, two = OneMADE(), PixelCNN(levels=2, dropout=0.2)
    quick = {"epochs": 60, "batch_size": 100, "lr": 1e-2, "weight_decay": 0.3, "seed": 0}
    fit(made, black.train, black.valid, **quick)
    short = {**budget, "epochs": 9}
    fit(two, black.train, black.valid, **short)
    for name, model in (("MADE", made), ("PixelCNN", two)):
        nats, error = evaluate(model, black.test)
        size = sum(p.numel() for p in model.parameters())
        line = f"{name:8} {nats:5.2f} ± {error:.2f} nats, {nats / 64 / math.log(2):.3f} bits/dim"
        print(f"{line}, {size:,} parameters")

# %% [markdown]
r"""
It does **not** win. On these digits NADE (lesson 4) reaches 16.9 nats and stays ahead of both. A guess, with no control here: 8×8 pixels are few and always in the same place, so that one kernel for all places, the convolution's great strength, buys little where every place has a
role of its own. (The last of the *Try*s tests it.) On binarized MNIST the order is another: 81.30 nats for PixelCNN (van den Oord et al., 2016a, table 4), 88.86 for NADE (Larochelle and Murray, 2011). A number belongs to its data; the 16 shades and black and white are **two tasks** as well.

## A digit to order

Which digit it is, $c$, can be known before the first pixel: $p(x \mid c) = \prod_i p(x_i \mid x_{<i}, c)$. The label is no pixel, so it needs no mask. Van den Oord et al. (2016b, section 2.3) add a vector of the class to the sums before both gates, the same one at every pixel. The cell does so with **your** blocks, from outside.
"""

# %% tags=["demo"]
predict(
    "Two perfect models, one of them told the digit. How many bits can the label save in an image of 64 pixels, on average?",
    ["at most log₂ 10 = 3.3", "at most 64 · log₂ 10 = 213", "as many as the image has"],
    answer=0,
    why="Whoever is not told can first spend log₂ 10 bits on the digit, and then go on like the one who is "
    "told. (In symbols: H(x) − H(x | c) is the mutual information of x and c, at most H(c).)",
)


# %% tags=["folded"] title="A convolution that is told the class"
class Told(nn.Module):
    """A convolution whose output is moved by a vector of the class, the same at every pixel."""

    def __init__(self, conv, classes=10):
        super().__init__()
        self.conv, self.move = conv, nn.Embedding(classes, conv.out_channels)
        nn.init.zeros_(self.move.weight)  # begins as the network that is told nothing

    def forward(self, x):
        return self.conv(x) + self.move(self.label)[:, :, None, None]


def told(model, label):
    """The model, told the class int64 (B,) of each image of its next pass."""
    for block in model.blocks:
        if not isinstance(block.vertical, Told):
            block.vertical, block.across = Told(block.vertical), Told(block.across)
        block.vertical.label = block.across.label = label
    return model


# %% tags=["demo"]
with solved("PixelCNN"):
    torch.manual_seed(0)
    ten = told(PixelCNN(levels=2, dropout=0.2), black.train_labels)
    seen, unseen = (black.train, black.train_labels), (black.valid, black.valid_labels)
    fit(ten, seen, unseen, loss=lambda model, x, label: told(model, label).nll(x), **short)
    with torch.no_grad():
        classes = torch.arange(10)[:, None].expand(10, len(black.test))
        costs = torch.stack([told(ten, c).nll(black.test) for c in classes])  # (10, 300) nats
        own = costs.gather(0, black.test_labels[None])[0]
        untold = two.nll(black.test)
    saved = (untold - own) / math.log(2)
    summed = math.log(10) - costs.neg().logsumexp(0)  # −log of the mean of p(x | c) over c
    gain = untold - summed
    print(f"not told its digit: {untold.mean():.2f} nats an image; told: {own.mean():.2f}")
    print(f"saved {saved.mean():.2f} ± {saved.std() / len(saved) ** 0.5:.2f} bits an image")
    print(
        f"told, and the label summed out: {summed.mean():.2f} nats, "
        f"{gain.mean():.2f} ± {gain.std() / len(gain) ** 0.5:.2f} better than not told"
    )
    right = (costs.argmin(0) == black.test_labels).double().mean()
    print(f"the class that makes an image likeliest is the right one for {right:.1%}")

# %% tags=["demo"]
with solved("PixelCNN"):
    drawn = told(ten, torch.arange(30) % 10).sample(30, 8, 8, torch.Generator().manual_seed(2))
    fig, axes = plt.subplots(3, 10, figsize=(8, 2.7), constrained_layout=True)
    for i, (ax, image) in enumerate(zip(axes.flat, drawn, strict=True)):
        ax.imshow(image[0], cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[], title=str(i) if i < 10 else "")
    show(fig, "Three rows of ten drawn digits, each column made for one class, 0 to 9.")

# %% [markdown]
r"""
The label saves 4.3 bits, a bit *more* than two perfect models could differ by. So the network that is told nothing is far from perfect, as the other one shows. Sum the label out, $p(x) = \frac1{10} \sum_c p(x \mid c)$: a model that asks for no label, and nearly a nat better than the same layers without one. And by Bayes' rule it classifies, though it was never trained to: the likeliest class is the one with the greatest $p(x \mid c)$.

## Colors: R, then G, then B

Small digits, tinted here: each gets one of six inks. Four levels for each color, so an image is $3 \cdot 64 = 192$ numbers. Look at `INKS`: half of them show a stroke in R, the other half show it first in G.
"""

# %% tags=["demo"]
predict(
    "Which of the three colors will cost the fewest bits?",
    ["R", "G", "B"],
    answer=2,
    why="It comes last, and sees the two others.",
)

# %%
INKS = torch.tensor([[3, 0, 0], [0, 3, 0], [0, 1, 3], [3, 2, 0], [3, 0, 3], [0, 3, 3]])  # R, G, B


def tinted(images, generator):
    """Gray levels 0 … 3 (B, 1, 8, 8) → colors (B, 3, 8, 8) on black, one ink an image."""
    ink = INKS[torch.randint(len(INKS), (len(images),), generator=generator)]  # (B, 3)
    return (images * ink[:, :, None, None] + 1) // 3


# %% tags=["demo"]
four, random = data.digits(levels=4, flat=False), torch.Generator().manual_seed(0)
colored = [tinted(part, random) for part in (four.train, four.valid, four.test)]
with solved("PixelCNN"):
    torch.manual_seed(0)
    painter = PixelCNN(levels=4, colors=3, channels=24, dropout=0.1)
    display(fit(painter, colored[0], colored[1], **{**budget, "epochs": 7}))
    with torch.no_grad():
        cost = painter.pixel_nll(colored[2]).mean((0, 2, 3)) / math.log(2)  # (3,) bits
    for name, bits in zip("RGB", cost, strict=True):
        print(f"{name}: {bits:.3f} bits a number")
    print(f"PixelCNN {cost.mean():.3f} bits per dimension")

# %% tags=["demo"]
with solved("PixelCNN"):
    drawn = painter.sample(48, 8, 8, torch.Generator().manual_seed(1))
    fig, axes = plt.subplots(2, 12, figsize=(9, 1.7), constrained_layout=True)
    for line, images, name in zip(
        axes, (colored[2][:12], drawn[:12]), ("test", "drawn"), strict=True
    ):
        line[0].set_ylabel(name)
        for ax, image in zip(line, images, strict=True):
            ax.imshow(image.permute(1, 2, 0) / 3)
            ax.set(xticks=[], yticks=[])
    show(
        fig,
        "Two rows of twelve tiny colored digits on black. Test: each digit in one of six inks. "
        "Drawn: strokes like those of digits, most of them in one ink from top to bottom.",
    )
    brightest = drawn.amax(1, keepdim=True)  # (48, 1, 8, 8)
    kind = (drawn == brightest).long() + (drawn > 0)  # 2 for the strongest color, 0 for none
    code = (kind * torch.tensor([1, 3, 9])[:, None, None]).sum(1)  # one number for each ink
    codes = [c[b[0] >= 2] for c, b in zip(code, brightest, strict=True)]
    same = sum(len(c) > 0 and (c == c.mode().values).float().mean() > 0.9 for c in codes)
    print(
        f"{same} of {len(drawn)} drawn digits keep one ink in more than 90% of their bright pixels"
    )

# %% [markdown]
r"""
A stroke is paid for **once**, by the first color that shows it: R in half of the inks, G in the others. B can look at both, and costs the least, though half of the inks need it. (With the channels turned round it is R that comes last, and R that is cheap.) Nobody told the network that there are inks, and yet most digits keep one.

**Try:** with `colors=1` masks over three channels G could not look at R. What would the samples look like?

## Exercise 6: do not compute it twice

`BlockMemory` · difficulty ●●● · 20 minutes · 3 points · *going further*

> "Very slow generation: $n$ network passes."

*Is that so?* `sample` runs the whole network over the whole image for every pixel, and throws all but one answer away. But the past does not change: **its features never change either.** To go on by one pixel we need

 - of the vertical stack: nothing new inside a row. When a row is complete, one new row of features;
 - of the horizontal stack: one new column of features, at this pixel, from the `reach + 1` last ones.

So a pixel costs the same in a small image and in a large one. `sample_cached` below does the bookkeeping. Each block has a memory:

 - `row(v)` takes the block's new row of vertical input, and prepares `self.above`, (B, 2C, W): what `down` hands to each pixel of the **next** row. It is given.
 - `pixel(c, h)` is yours: the horizontal stack at column $c$. `self.left`, (B, C, W + reach), holds the row's inputs up to here, *shifted by* `reach` *columns*: column $c$ of the image is column $c + \text{reach}$ of `left`. The weights lie ready for `x @ …`, masked: `self.kernel`, (C · (reach + 1), 2C), is that of `across`, and `self.mixing`, (C, C), that of `out`. Their biases are still in `self.block`.

*By hand:* `reach = 1`, $c = 0$. The window is columns 0 and 1 of `left`: the padding (zero), and this pixel.

**Bit for bit.** Will it be *the same image*? The same uniform numbers are drawn. The probabilities come from other sums in another order, so they differ by rounding: about $10^{-16}$ in double precision. A level changes only if a uniform number falls into such a gap. The demo below
compares all pixels, and measures how near any of the uniform numbers came to an edge. Where that is a thousand times the rounding, equality is no luck.

<details><summary>Hint 1</summary>

Store first: `self.left[:, :, c + p] = h`. Then the window is `self.left[:, :, c : c + p + 1]`, of shape (B, C, p + 1). `self.kernel` has the weights for these columns; those on the right are masked anyway.
</details>
<details><summary>Hint 2</summary>

A window times a kernel is one matrix product: `window.flatten(1) @ self.kernel`. Everything after it stands in your `GatedBlock.forward`; a 1×1 convolution on one pixel is `x @ self.mixing + bias`.
</details>
"""


# %%
@torch.no_grad()
def sample_cached(model, count, height, width, generator=None):
    """The images of `model.sample`, with every feature computed once."""
    size, where = (count, model.colors, height, width), model.output.weight.device
    x = torch.zeros(size, dtype=torch.long, device=where)
    memories = [BlockMemory(block, count, width) for block in model.blocks]
    hidden, output = (
        ((layer.weight * layer.mask)[:, :, 0, 0].T, layer.bias)
        for layer in (model.hidden, model.output)
    )
    for r in range(height):
        for c in range(width):
            for k in range(model.colors):
                h = model.scale(x[:, :, r, c])  # (B, colors)
                for memory in memories:
                    h = memory.pixel(c, h)
                y = F.relu(torch.addmm(hidden[1], F.relu(h), hidden[0]))
                y = torch.addmm(output[1], y, output[0]).view(count, model.levels, -1)
                x[:, k, r, c] = draw_levels(y[:, :, k], generator)
            memories[0].left[:, :, c + memories[0].block.reach] = model.scale(x[:, :, r, c])
        v = model.scale(x[:, :, r])  # (B, colors, W)
        for memory in memories:
            v = memory.row(v)
    return x


# %% exercise="BlockMemory"
class BlockMemory:
    """What one gated block has to remember while an image is drawn, pixel by pixel."""

    def __init__(self, block, count, width):
        self.block, p = block, block.reach
        kernel = (block.across.weight * block.across.mask)[:, :, 0, : p + 1]  # (2C, C, p + 1)
        self.kernel = kernel.flatten(1).T.contiguous()
        self.mixing = (block.out.weight * block.out.mask)[:, :, 0, 0].T.contiguous()  # (C, C)
        channels = block.vertical.in_channels
        self.rows = kernel.new_zeros(count, channels, p + 1, width + 2 * p)
        self.left = kernel.new_zeros(count, channels, width + p)
        self.above = block.down.bias[:, None].expand(count, -1, width)  # above row 0: zeros

    def row(self, v):
        """A complete row of vertical input (B, C, W) → of vertical output; the next row may begin."""
        p = self.block.reach
        self.left.zero_()
        self.rows = torch.cat([self.rows[:, :, 1:], F.pad(v, (p, p))[:, :, None]], dim=2)
        u = self.block.vertical(self.rows)  # (B, 2C, 1, W)
        self.above = self.block.down(u)[:, :, 0]
        a, b = u[:, :, 0].chunk(2, dim=1)
        return torch.tanh(a) * torch.sigmoid(b)

    def pixel(self, c, h):
        """The horizontal stack at column c: its input there, (B, C_in) → its output there, (B, C)."""
        ### BEGIN SOLUTION
        block, p = self.block, self.block.reach
        self.left[:, :, c + p] = h
        window = self.left[:, :, c : c + p + 1].flatten(1)  # (B, C · (p + 1))
        w = torch.addmm(block.across.bias, window, self.kernel) + self.above[:, :, c]
        a, b = w.chunk(2, dim=1)
        new = torch.addmm(block.out.bias, torch.tanh(a) * torch.sigmoid(b), self.mixing)
        return h + new if block.kind == "B" else new
        ### END SOLUTION


# %% check="BlockMemory" points=3
check(BlockMemory)

# %% [markdown]
r"""
### The curve, not a factor

An image of twice the side has four times the pixels.
"""

# %% tags=["demo"]
predict(
    "And the time for ONE of its pixels?",
    ["it grows in both ways", "naive it grows, cached it does not", "it grows in neither"],
    answer=1,
    why="Naive, each pixel takes a pass over the whole image. The second cell below measures both.",
)


# %%
def narrowest(model, x, seed):
    """How near any uniform number came to an edge when x was drawn from `seed`."""
    generator, nearest = torch.Generator().manual_seed(seed), 1.0
    edges = model(x).double().softmax(1).cumsum(1)[:, :-1]  # (B, levels − 1, colors, H, W)
    for r in range(x.shape[2]):
        for c in range(x.shape[3]):
            for k in range(model.colors):
                u = torch.rand(len(x), 1, dtype=torch.float64, generator=generator)
                nearest = min(nearest, float((u - edges[:, :, k, r, c]).abs().min()))
    return nearest


# %% tags=["demo"]
with solved("PixelCNN", "BlockMemory"), torch.no_grad():
    gray.double().eval()
    naive = gray.sample(16, 8, 8, torch.Generator().manual_seed(1))
    cached = sample_cached(gray, 16, 8, 8, torch.Generator().manual_seed(1))
    print(f"different pixels: {(naive != cached).sum()} of {naive.numel():,}")
    print(f"nearest edge {narrowest(gray, naive, 1):.1e}, rounding of a sum in double about 1e-16")
    gray.float()
    print("side   naive, ms a pixel   cached, ms a pixel   naive / cached   (batch 16)")
    for side in (8, 12, 16, 20):
        empty = torch.zeros(16, 1, side, side, dtype=torch.long)
        start = time.perf_counter()
        gray.inpaint(empty, side - 2)  # two rows will do: each costs the same
        middle = time.perf_counter()
        sample_cached(gray, 16, side, side)
        slow = 1e3 * (middle - start) / (2 * side)
        fast = 1e3 * (time.perf_counter() - middle) / side**2
        print(f"{side:4} {slow:19.2f} {fast:20.2f} {slow / fast:16.1f}")

# %% [markdown]
r"""
The cached column stays flat; the naive one grows with the image. So the gain is **no number but a curve**: it rises with the side. Whoever says "10 times faster" must say at which size.

What remains are $n$ steps one after the other. Caching removes work, and leaves the steps in their order, as in every autoregressive model.

## A question to answer in words

 1. A plain stack of masked 3×3 convolutions has a blind spot at *any* depth. Why? Why does the gated network not have one?
 2. Someone forgets to shift the vertical features by one row. What does the training loss look like, and what do the samples look like?
 3. Why does the middle of the kernel need an order of the colors, and the other places do not?

A few sentences for each.
"""

# %% [markdown] question="blind_spot" points=2
r"""
### BEGIN SOLUTION
1. In its own row no kernel reads to the right, so a signal comes one column nearer from the right only by going up at least one row (for 3×3 kernels). Offsets $(-r, c)$ with $c > r$ are no sum of allowed offsets, however many layers there are. The vertical stack reads whole rows
without a mask; the horizontal one gets its result for all rows strictly above, and adds what is left in its own row. Together: everything before the pixel, within reach.
2. The horizontal features of row $r$ then contain pixels of row $r$, the predicted one and those after it. Training finds a way to copy: the loss falls towards 0, far below any honest model. In sampling the pixel is not there yet (a zero is), and the network copies that: blank images, or garbage; likelihoods mean nothing, since the "probabilities" do not sum to 1.
3. The numbers R, G, B of one pixel are three variables at the same place. The place alone does not say which comes first, so the channels must. Pixels at other places of the kernel lie entirely in the past (or are masked): all their colors are known.

Rubric: ½ point for "one column right costs one row up, at any depth" (a drawing in words will do). ½ point for the two stacks, with the shift or "rows strictly above" named. ½ point for "loss too good, samples bad" (½ of it for only one of the two). ½ point for colors as variables at one place.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

A masked convolution computes the conditionals of all pixels in one pass; the first layer must not read the middle (A), later ones may (B), and among colors the middle keeps R before G before B. A plain stack of them is causal and half blind: what comes from the right above is lost at any depth, and two stacks, one
of whole rows and one of the row to the left, get it back, if the first is shifted by one row. Training is one pass; sampling is one step for each number, and need cost no more than the new number's own column of features.

## Go further

 - A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu (2016a). *Pixel Recurrent Neural Networks.* ICML. Masks A and B, 256-way softmax, the order of colors, bits per dimension.
 - A. van den Oord, N. Kalchbrenner, O. Vinyals, L. Espeholt, A. Graves, K. Kavukcuoglu (2016b). *Conditional Image Generation with PixelCNN Decoders.* NeurIPS. The blind spot, two stacks, gates; 3.03 bits per dimension on CIFAR-10, where the plain PixelCNN has 3.14.
 - T. Salimans, A. Karpathy, X. Chen, D. P. Kingma (2017). *PixelCNN++.* ICLR. A mixture of logistics in place of 256 unrelated levels: 2.92.
 - P. Ramachandran, T. Le Paine, P. Khorrami et al. (2017). *Fast Generation for Convolutional Autoregressive Models.* ICLR workshop. The caching of exercise 6.

**Try:** feed the levels one-hot instead of scaled, or give each pixel its row and column as further inputs. Does that close the gap to NADE?

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>Why is the first layer A and the others B?</summary>

The middle of the first layer's input is the pixel itself, the answer. The middle of a later layer's input is a feature that has seen only the past: reading it is allowed, and needed.
</details>
<details><summary>What does a stack see whose layers are all of kind A?</summary>

Each layer must step at least one pixel back, so the nearest past is lost: with $L$ layers of 3×3, the last $L-1$ pixels to the left, and more in the rows above. Legal, and a waste.
</details>
<details><summary>And one whose first layer is B?</summary>

It sees itself. The loss tends to 0, and when it draws there are only zeros to copy.
</details>
<details><summary>Which pixels lie in the blind spot of 3×3 kernels?</summary>

Those in row $-r$ that lie more than $r$ columns to the right.
</details>
<details><summary>Does a PixelCNN know that level 7 lies beside level 8?</summary>

Not by its form: the 16 logits are unrelated numbers. It learns it from data; PixelCNN++ builds it in, by the discretized mixture of lesson 7.
</details>
<details><summary>An image costs 70 nats and has 64 numbers. How many bits per dimension?</summary>

$70 / (64 \cdot 0.6931) = 1.578$.
</details>
"""

# %% [markdown]
r"""
## Appendix: at full size

Ten gated blocks of 64 channels with 5×5 kernels, on 50,000 images, where it *does* pay to know that images are images. The forward pass is computed in half precision (bfloat16, or float16 on a T4), and samples are drawn by your `BlockMemory`. MNIST is binarized by our own draw (seed 0), not the papers', so the last tenths do not compare. Validation images choose the epoch; the test set is opened once. Without a card you see a stored result, and whose it is.

`size` may also be `"gpu"` (the papers' size, however long it takes), `"laptop"` (the stored result) or `"smaller"`: yours, on this processor, in seconds.
"""


# %%
def make_full(setting, n):
    """The model of black and white images, as large as the setting says."""
    kernels = (5,) * setting.blocks
    model = PixelCNN(2, channels=setting.channels, kernels=kernels, dropout=setting.dropout)
    model.side = math.isqrt(n)
    return model


def draw_full(model, count, generator):
    """`count` images, drawn from it."""
    return sample_cached(model, count, model.side, model.side, generator)


# %% tags=["demo", "unfolded"]
size = "auto"
with solved("PixelCNN", "BlockMemory"):
    run = full_size.train("PixelCNN", make_full, draw_full, size=size)
    display(run)
    if run.model is not None:
        print(kept_network.keep("PixelCNN", run.model, run.test))  # lesson 14 writes files with it
