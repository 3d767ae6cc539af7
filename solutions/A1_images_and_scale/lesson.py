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
#     name: A1_images_and_scale
#     title: "Images as tokens, and what scale buys"
#     question: "Your GPT-2 has never heard of rows, columns or neighbors. Can it draw?"
#     minutes: 45
#     prerequisites: [05_made, 09_pixelcnn, 12_gpt2]
# ---

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import display
from sklearn.linear_model import LogisticRegression
from torch import nn

from course import data, earlier, pretrained, stored
from course.picture import show
from course.training import evaluate, fit
from figures.predict import predict

# %% [markdown]
r"""
## An image is a sentence

Nothing in your `GPT2` asks what a token *means*. So give it an alphabet of twelve: `0` and `1` for a pixel, and ten words, one for each digit. A sentence is a word and then 64 pixels, row by row.
"""

# %%
digits = data.digits()  # bits, float (…, 64), and the classes 0 … 9
SIDE, PIXELS = digits.side, digits.side**2
START = 2  # tokens 0 and 1 are a pixel's two values; 2 … 11 say which digit comes
VOCABULARY = START + 10


def as_tokens(images, labels, order=None):
    """Bits (B, 64) and classes (B,) → ids (B, 65): the class, then the pixels in raster order.

    order: int64 (64,), another one: the pixel order[t] comes t-th.
    """
    pixels = images if order is None else images[:, order]
    return torch.cat([START + labels[:, None], pixels.long()], dim=1)


# %% tags=["demo"] title="An image as a sentence"
example, pixel = as_tokens(digits.train[2:3], digits.train_labels[2:3])[0], 28
fig, (left, line) = plt.subplots(
    1, 2, figsize=(9, 1.9), width_ratios=(1, 5.2), layout="constrained"
)
left.imshow(example[1:].view(SIDE, SIDE), cmap="gray_r")
line.imshow(example[None, 1:], cmap="gray_r", extent=(0.5, PIXELS + 0.5, 0, 2), aspect="auto")
for place, color, name in (
    (pixel, "#D55E00", "a pixel"),
    (pixel - SIDE, "#0072B2", "the one above"),
):
    row, column = divmod(place, SIDE)
    box = {"fill": False, "edgecolor": color, "linewidth": 3}
    left.add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, **box))
    line.add_patch(plt.Rectangle((place + 0.5, 0), 1, 2, **box))
    line.text(place + 1, 2.3, name, color=color, ha="center")
line.text(0, 1, f"“{example[0] - START}”", ha="right", va="center", fontsize=15)
line.text(pixel - SIDE / 2 + 1, -0.9, "8 tokens apart", ha="center")
line.add_patch(plt.Rectangle((0.5, 0), PIXELS, 2, fill=False, edgecolor="0.6", zorder=0))
left.set(xticks=[], yticks=[])
line.set(xlim=(-4, PIXELS + 1), ylim=(-1.2, 3.2))
line.axis("off")
show(
    fig,
    f"Left: an 8×8 image of a handwritten {example[0] - START} in black and white; two pixels are "
    "marked, one right above the other. Right: the same image as a line of 65 tokens, the name of "
    "the digit and then 64 pixels. The two marked ones are eight tokens apart.",
)

# %% [markdown]
r"""
The word comes first, so every pixel is conditional on it:

$$\log p(x \mid c) = \sum_{i=1}^{64} \log p(x_i \mid c, x_{<i}).$$

That is a **class-conditional** image model, and no line of new code. This is how images came to language models: Image GPT (Chen et al., 2020) read pixels of 512 colors, DALL·E (Ramesh et al., 2021) wrote 1,024 image tokens after a caption.

**What it is not told.** A PixelCNN's kernel lies *on* the image: the pixel above is a neighbor by construction. Here it is the token 8 places back, and a token 7 or 9 places back is as near or far as any other. If rows matter, the model has to find that out from 1,297 images.
"""


# %% tags=["folded"] title="What is stored of the models, summed up"
def mean_of(model, what):
    """The mean over seeds of what is stored of a model."""
    return np.mean([row[what] for row in stored.rows("images_as_tokens") if row["model"] == model])


def spread_of(model, what):
    """Half of the range over seeds."""
    found = [row[what] for row in stored.rows("images_as_tokens") if row["model"] == model]
    return (max(found) - min(found)) / 2


def lost_by_order():
    """What scrambling costs each model, nats: the mean over seeds and orders."""
    asked = {"MADE": "nats", "GPT": "marginal", "PixelCNN": "nats"}
    return {
        name: mean_of(f"{name}, random order", what) - mean_of(name, what)
        for name, what in asked.items()
    }


# %% tags=["demo"]
predict(
    "An unseen image of such bits costs 25.2 nats pixel by pixel, and MADE 17.2. What will a GPT of about "
    "28,000 numbers need, which reads the same images and is told neither rows nor columns?",
    ["about 25: without neighbors, nothing to go by", "about 21", "about 17, as MADE", "about 12"],
    answer=lambda: int(np.argmin([abs(mean_of("GPT", "marginal") - x) for x in (25, 21, 17, 12)])),
    why=lambda: (
        f"{mean_of('GPT', 'marginal'):.2f} on average over three seeds, when training is done. "
        "The table comes below."
    ),
)

# %% [markdown]
r"""
The class is yours: the next cell takes it from your notebook of lesson 12, if that lies where a course keeps it. Else it takes the course's own, which has the same form.
"""

# %% tags=["demo", "unfolded"]
mine = earlier.answers("gpt2", "causal_attention", "Block", "GPT2")
GPT2 = mine["GPT2"] if mine else pretrained.LanguageModel  # the course's own, of PyTorch's layers


# %%
def small_gpt(seed, width=32, heads=2, vocabulary=VOCABULARY, length=PIXELS, grid=False):
    """A GPT of two blocks, with first weights of its own for each seed."""
    config = {"vocab_size": vocabulary, "n_positions": length, "n_embd": width}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GPT2(config | {"n_layer": 2, "n_head": heads})
        if grid:
            model.wpe = Grid(SIDE, width)
        for weight in model.parameters():
            if weight.ndim > 1:
                nn.init.normal_(weight, std=0.02)
    return model


def image_nll(model, tokens):
    """−log p(pixels | first token) in nats, (B,), for ids (B, 65)."""
    logits = model(tokens[:, :-1])  # (B, 64, 12)
    return F.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none").sum(1)


# %% tags=["demo"] title="Training: 12 passes over 1,297 images"
train, valid, test = (
    as_tokens(getattr(digits, part), getattr(digits, f"{part}_labels"))
    for part in ("train", "valid", "test")
)
gpt = small_gpt(seed=0)
display(
    fit(gpt, train, valid, epochs=12, batch_size=16, lr=1e-2, weight_decay=0.1, clip=1.0,
        warmup=80, loss=image_nll)
)  # fmt: skip
nats, error = evaluate(gpt, test, loss=image_nll)
size = sum(p.numel() for p in gpt.parameters())
print(
    f"{size:,} numbers, 12 passes: {nats:.2f} ± {error:.2f} nats for a test image, given its class"
)
print("(± one standard error over images)")

# %% [markdown]
r"""
## Two numbers that do not compare, and how to make them

These nats are of the image **given its class**: somebody has told the model what it is going to see. MADE and PixelCNN were told nothing. The chain rule has the exchange rate:

$$p(x) = \sum_{c} p(c)\, p(x \mid c), \qquad \log p(x) = \operatorname{logsumexp}_c \big(\log p(c) + \log p(x \mid c)\big).$$

Ten passes, one with each word in front, and the class is gone. *By hand:* two classes, $p(c) = \tfrac12$; the image has $e^{-16}$ under one and $e^{-20}$ under the other. Then $-\log p(x) = \ln 2 - \ln(e^{-16} + e^{-20}) = 0.693 + 15.982 = 16.675$: more than 16, since the name of the class was worth $0.675$ nats, and at most $\ln 10 = 2.303$ with ten of them.

And the same ten numbers answer another question, by Bayes: $p(c \mid x) \propto p(c)\, p(x \mid c)$. A model that was trained to draw **can read**.
"""


# %%
@torch.no_grad()
def log_joint(model, images, order=None):
    """log p(c) + log p(x | c) for each image and each of the ten classes: (B, 10) nats."""
    counts = digits.train_labels.bincount(minlength=10).float()
    by_class = [
        -image_nll(model, as_tokens(images, torch.full((len(images),), c), order))
        for c in range(10)
    ]
    return torch.stack(by_class, dim=1) + (counts / counts.sum()).log()


# %% tags=["demo"] title="Without the class, and which class it is"
joint = log_joint(gpt, digits.test)  # (300, 10)
print(f"given the class   {image_nll(gpt, test).mean():.2f} nats")
print(f"without it        {-joint.logsumexp(1).mean():.2f} nats")
regression = LogisticRegression(max_iter=2000).fit(digits.train, digits.train_labels)
for name, read in (
    ("the GPT, by Bayes", joint.argmax(1)),
    ("logistic regression", torch.tensor(regression.predict(digits.test))),
    ("always the most frequent class", digits.train_labels.mode().values),
):
    print(f"{name:<31} reads {(read == digits.test_labels).float().mean():.1%} of the test images")

# %% [markdown]
r"""
Logistic regression was trained to read and nothing else; after its twelve passes the GPT comes behind it, without a lesson in reading.

## Samples, one class a column

To draw, give the word and write 64 tokens. The ten words stay in the alphabet all the time; that none of them comes in the middle of an image is something that the model *learned*. So we draw from all twelve, and count what is no pixel.
"""


# %%
@torch.no_grad()
def draw(model, classes, generator):
    """An image for each class, (B, 64): token by token, as `generate` does; −1 where no pixel came."""
    tokens = START + classes[:, None]
    for _ in range(PIXELS):
        p = model(tokens)[:, -1].softmax(-1)
        tokens = torch.cat([tokens, torch.multinomial(p, 1, generator=generator)], dim=1)
    return torch.where(tokens[:, 1:] < START, tokens[:, 1:], -1)


# %% tags=["demo"] title="Six samples of each class"
drawn = draw(gpt, torch.arange(10).repeat(6), torch.Generator().manual_seed(1))
fig, axes = plt.subplots(6, 10, figsize=(7, 4.3), layout="constrained")
for i, (ax, image) in enumerate(zip(axes.flat, drawn, strict=True)):
    ax.imshow(image.view(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    if i < 10:
        ax.set_title(str(i))
asked = torch.arange(10).repeat(6)
as_read = (log_joint(gpt, drawn.clamp(min=0).float()).argmax(1) == asked).float().mean()
show(fig, "Six rows of ten small black and white images, drawn by the model, one column for each "
     f"digit from 0 to 9. The model itself reads {as_read:.0%} of them as the digit that was asked "
     "for; an eye has more trouble.")  # fmt: skip
print(f"{(drawn < 0).sum()} of {drawn.numel():,} tokens are no pixels")
print(f"the model itself reads {as_read:.0%} of them as what was asked for")

# %% [markdown]
r"""
## Does it look at the pixel above?

The model has four heads, two in each block, that decide which earlier tokens to fetch.

Attention says where a head *fetches*. What is done with it, it does not say. So two controls stand beside it: the same heads **before training**, whose weights are all alike; and an **intervention**, which looks at no weight at all: flip one pixel of a test image, and note by how many nats the price of each later pixel moves.
"""

# %% tags=["demo"]
predict(
    "On which pixel will the weight of a head lie in particular, seen from the one that is asked for?",
    ["the one above", "the one to the left", "no single one"],
    answer=2,
    why="The table below: the best head gives the pixel above at most half more than an untrained one does.",
)


# %%
@torch.no_grad()
def attention(model, tokens):
    """The weights of each head, averaged over sentences (B, 65): (heads of all blocks, 64, 64)."""
    kept = []

    def watched(attend):
        def with_eyes(q, k, v):
            every = torch.eye(k.shape[-2], device=k.device).expand(*k.shape[:-1], -1)
            kept.append(attend(q, k, every).mean(0))  # what is fetched is the weights themselves
            return attend(q, k, v)

        return with_eyes

    def of_torch(layer, given):
        x, mask = layer.norm1(given[0]), nn.Transformer.generate_square_subsequent_mask(PIXELS)
        kept.append(layer.self_attn(x, x, x, attn_mask=mask, average_attn_weights=False)[1].mean(0))

    if hasattr(model, "h"):  # yours
        before = [block.attend for block in model.h]
        for block in model.h:
            block.attend = watched(block.attend)
        model(tokens[:, :-1])
        for block, own in zip(model.h, before, strict=True):
            block.attend = own
    else:
        hooks = [layer.register_forward_pre_hook(of_torch) for layer in model.layers]
        model(tokens[:, :-1])
        for hook in hooks:
            hook.remove()
    return torch.cat(kept)


# %%
@torch.no_grad()
def influence(model, tokens):
    """By how many nats flipping pixel j moves the price of a later pixel i, at |mean|: (64, 64)."""

    def prices(ids):
        logits = model(ids[:, :-1]).transpose(1, 2)
        return F.cross_entropy(logits, ids[:, 1:], reduction="none")  # (B, 64)

    moved, before = torch.zeros(PIXELS, PIXELS), prices(tokens)
    for j in range(PIXELS - 1):
        flipped = tokens.clone()
        flipped[:, j + 1] = 1 - flipped[:, j + 1]
        moved[j + 1 :, j] = (prices(flipped) - before).abs().mean(0)[j + 1 :]
    return moved


# %%
def by_offset(table):
    """The mean of (64, 64) over all pairs of pixels that lie alike: (8, 15), the top row 7 above.

    NaN where fewer than 14 pairs lie so: a mean of a few corners would tell of these corners.
    """
    means = torch.full((SIDE, 2 * SIDE - 1), torch.nan)
    i, j = torch.tril_indices(PIXELS, PIXELS, -1)  # j comes before i
    up, beside = i // SIDE - j // SIDE, j % SIDE - i % SIDE
    for rows in range(SIDE):
        for columns in range(1 - SIDE, SIDE):
            alike = (up == rows) & (beside == columns)
            if alike.sum() >= 14:
                means[SIDE - 1 - rows, columns + SIDE - 1] = table[i[alike], j[alike]].mean()
    return means


def looks_at(weights, offset, order=None):
    """How much of each head's weight lies on the pixel at `offset` (rows, columns) from the one that
    it predicts, on average over all pixels that have one there and have read it: (heads,)."""
    order = torch.arange(PIXELS) if order is None else order
    place = torch.argsort(order)  # when each pixel comes
    found = []
    for t, pixel in enumerate(order.tolist()):
        row, column = pixel // SIDE + offset[0], pixel % SIDE + offset[1]
        if 0 <= row < SIDE and 0 <= column < SIDE and place[row * SIDE + column] < t:
            found.append(
                weights[:, t, place[row * SIDE + column] + 1]
            )  # position 0 reads the class
    return torch.stack(found).mean(0)


# %% tags=["demo"] title="Heads, and what a flipped pixel changes"
heads, untrained = attention(gpt, test), attention(small_gpt(seed=0), test)
maps = [by_offset(h[:, 1:]) / by_offset(u[:, 1:]) for h, u in zip(heads, untrained, strict=True)]
effect = by_offset(influence(gpt, test[:60]))
fig, axes = plt.subplots(1, 5, figsize=(10, 2.2), layout="constrained")
for i, (ax, shown) in enumerate(zip(axes, [*maps, effect], strict=True)):
    most, unit = (2.5, "× untrained") if i < 4 else (float(effect.nan_to_num().max()), "nats")
    picture = ax.imshow(shown[2:, 2:-2], cmap="cividis", vmin=0, vmax=most)
    ax.text(5, 5, "?", ha="center", va="center", fontsize=12)
    ax.set(xticks=[], yticks=[], title=f"head {i + 1}" if i < 4 else "flipped")
    fig.colorbar(picture, ax=ax, location="bottom", label=unit, shrink=0.8)
left, above = (float(effect[SIDE - 1 - r, SIDE - 1 + c]) for r, c in ((0, -1), (1, 0)))
show(
    fig,
    "Five maps around a pixel with a question mark, rows above it and columns beside. Four show how much more than "
    "an untrained head each head fetches from there: patches here and there, and none of them bright on the pixel "
    f"above. The fifth shows what a flip there changes: {left:.2f} nats on the left, {above:.2f} right above, "
    "little far away.",
)
print(
    "share of a head's weight on    "
    + "  ".join(f"head {h + 1}" for h in range(4))
    + "   untrained    a flip there moves"
)
for name, offset in (
    ("the pixel above", (-1, 0)),
    ("the one to the left", (0, -1)),
    ("two above", (-2, 0)),
    ("four above", (-4, 0)),
):
    shares = "  ".join(f"{s:6.2f}" for s in looks_at(heads, offset))
    moved = effect[SIDE - 1 + offset[0], SIDE - 1 + offset[1]]
    print(f"{name:<31}{shares}   {looks_at(untrained, offset)[0]:9.2f}    {moved:8.2f} nats")


# %% [markdown]
r"""
No head looks at the pixel above in particular: the best gives it at most half more than an untrained head does. One leans to the left, and takes some of the column beside. The flips say what the weights do not: by how many nats the price hangs on a pixel. By far the most hangs on the left one. How much hangs on the one above differs from one trained model to another (compare with a neighbor's), though their heads give it about the same weight: what is fetched a little from everywhere can be weighed afterwards.

## Take the neighborhood away, or tell it

The test for all this: **scramble** the pixels. One random order, the same for all images, so that 8 back means nothing anywhere. The chain rule holds in every order (lesson 8), and no information is lost. Whoever lives on neighbors must pay.
"""

# %% tags=["demo"]
predict(
    "Training and test images are all scrambled by one fixed random order. Who loses most by it?",
    ["MADE", "the GPT", "the PixelCNN", "nobody: the chain rule holds in every order"],
    answer=lambda: int(np.argmax([*lost_by_order().values(), 0.1])),
    why=lambda: (
        ", ".join(f"{name} {nats:+.2f} nats" for name, nats in lost_by_order().items())
        + ": means over three seeds, each with an order of its own."
    ),
)

# %% [markdown]
r"""
The other way round: **tell** the GPT. Let a position's vector be a sum, one for the row plus one for the column of the pixel that comes next: 16 vectors in place of 64, and pixels of one row have something in common from the start.
"""


# %%
class Grid(nn.Module):
    """A vector for the row plus one for the column of the pixel that position t predicts."""

    def __init__(self, side, size):
        super().__init__()
        self.side, self.row, self.column = side, nn.Embedding(side, size), nn.Embedding(side, size)

    def forward(self, positions):
        """(T,) → (T, size)."""
        return self.row(positions // self.side) + self.column(positions % self.side)


# %% tags=["demo"] title="Stored: 40 passes, three seeds"
runs = stored.rows("images_as_tokens")
print("test nats an image; validation chose the epoch; mean of three seeds ± half of their range\n")
print(f"{'':<24}{'numbers':>8}   given the class    without it     reads   seconds")
for name in dict.fromkeys(row["model"] for row in runs):
    told = "marginal" in next(row for row in runs if row["model"] == name)
    given, without, reads = " " * 12, "nats", "     "
    if told:
        given = f"{mean_of(name, 'nats'):.2f} ± {spread_of(name, 'nats'):.2f}"
        without, reads = "marginal", f"{mean_of(name, 'accuracy'):.1%}"
    print(
        f"{name:<24}{mean_of(name, 'parameters'):>8,.0f}   {given}    {mean_of(name, without):.2f} ± "
        f"{spread_of(name, without):.2f}    {reads}   {mean_of(name, 'seconds'):>7.0f}"
    )

# %% [markdown]
r"""
Read it column by column.

 - **Given the class** the GPT seems two nats better than MADE. **Without it**, which is the number that MADE has, it is no better. The two nats were the class's: whoever compares the first column with MADE's compares two different quantities.
 - **Scrambled**, the PixelCNN loses a nat: it is built on neighbors. MADE loses nothing. The GPT stands between them; what it loses is what it had found out about neighbors by itself.
 - **Told rows and columns**, the GPT gains less than its seeds differ. On these images three seeds do not show that the second dimension helps.

These are 1,297 images of 64 pixels. None of it says what happens with a million larger ones.
"""

# %% [markdown]
r"""
## What does scale buy?

A larger network predicts better. By how much? Two answers are quoted everywhere. Kaplan et al. (2020, equation 1.1) found a **power law** in the numbers $N$ of a network, its embeddings not counted:

$$L(N) = \left(\frac{N_c}{N}\right)^{\alpha_N}, \qquad \alpha_N \approx 0.076, \quad N_c \approx 8.8 \cdot 10^{13},$$

with $L$ in nats a token. Hoffmann et al. (2022) fitted a power law **plus a constant**, in $N$ and in the number $D$ of tokens that it has read:

$$L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}, \qquad E = 1.69, \quad A = 406.4, \ \alpha = 0.34, \quad B = 410.7, \ \beta = 0.28.$$

The constant is what no network gets below: the entropy of the text itself. *By hand:* twice the numbers multiply Kaplan's loss by $2^{-0.076} = 0.949$. In Hoffmann's form, from $N = 10^8$ to twice that, the term $A / N^\alpha$ falls from $0.774$ to $0.612$, and the rest stays.

**Compute.** In a block each number meets each token in one multiplication and one addition; the way back does twice that again. So a training takes about

$$C \approx 6\, N D$$

operations. Left out are the attention's own products, the head, the norms and the softmax.
"""

# %% tags=["demo"]
predict(
    "A network of ours has about 25,000 numbers in its blocks, and an alphabet of 83. Which share of the operations "
    "of its training does 6 N D tell?",
    ["about 90%", "about 70%", "about 40%"],
    answer=lambda: int(np.argmin([abs(told_share(32) - share) for share in (0.9, 0.7, 0.4)])),
    why=lambda: (
        f"{told_share(32):.0%}, as PyTorch counts them; {told_share(128):.0%} at four times the width. The rest "
        "does not grow with the square of the width: in large networks it is little."
    ),
)

# %% [markdown]
r"""
### Three sizes, here and now

Two blocks each, twice the width and so four times the numbers from one to the next. All read the same 131,072 letters of Python's help, once, so none can know its text by heart.
"""


# %%
CONTEXT = 64


def letter_nll(model, windows):
    """Nats a letter, the mean over each window of ids (B, 65): (B,)."""
    logits = model(windows[:, :-1]).transpose(1, 2)  # (B, V, 64)
    return F.cross_entropy(logits, windows[:, 1:], reduction="none").mean(1)


def trained_once(width, windows, vocabulary, seed, lr=None, progress=True):
    """A GPT of two blocks that has read each of the windows (B, 65) once, and its learning rate."""
    model = small_gpt(seed, width, heads=max(1, width // 32), vocabulary=vocabulary, length=CONTEXT)
    lr = 1e-2 * (32 / width) ** 0.5 if lr is None else lr  # one rule for all sizes
    fit(model, windows, windows[:32], epochs=1, batch_size=32, lr=lr, weight_decay=0.1, clip=1.0,
        warmup=len(windows) // 320, seed=seed, loss=letter_nll, progress=progress)  # fmt: skip
    return model, lr


def told_share(width):
    """Which part of what PyTorch counts are the 3 N D products, each with its addition, of 6 N D."""
    row = next(row for row in stored.rows("small_scaling") if row["width"] == width)
    return 3 * row["in_blocks"] / row["operations"]


# %% tags=["demo"] title="Three sizes"
text = "\n".join(data.python_help().values())
symbols = {symbol: i for i, symbol in enumerate(sorted(set(text)))}
ids = torch.tensor([symbols[symbol] for symbol in text])
windows = ids[: len(ids) // 65 * 65].view(-1, 65)
windows = windows[torch.randperm(len(windows), generator=torch.Generator().manual_seed(0))]
print("width   numbers in blocks   nats a letter, on help that it has not read")
for width in (16, 32, 64):
    small, _ = trained_once(width, windows[:2048], len(symbols), seed=0)
    in_blocks = sum(
        p.numel() for name, p in small.named_parameters() if name.startswith(("h.", "layers."))
    )
    cost, error = evaluate(small, windows[-512:], loss=letter_nll)
    print(f"{width:5} {in_blocks:19,}   {cost:.3f} ± {error:.3f}")

# %% [markdown]
r"""
One seed each, and three points: a direction and no law.

### Four sizes, stored

The same by four sizes on the plays that the course's small GPT was trained on, with three seeds, and tested on *Twelfth Night*, which none of them has read. Each is trained twice: on half a million letters, and on four times as many. (`python -m benchmarks.images_and_scale scale` makes the file anew.)

To fit $L = E + A N^{-\alpha}$, note that for a given $\alpha$ it is **linear** in $E$ and $A$: least squares, for each $\alpha$ of a grid.
"""


# %% tags=["unfolded"]
def power_law(N, loss, constant=None):
    """The least-squares fit of loss = E + A · N^−α: (E, A, α, root mean square of what is left).

    N, loss: (points,). constant: E, where it is given.
    """
    fits = []
    for alpha in np.arange(0.01, 1.5, 0.005):
        power = N**-alpha
        if constant is None:
            (E, A), *_ = np.linalg.lstsq(np.stack([N**0, power], 1), loss, rcond=None)
        else:
            E, A = constant, ((loss - constant) @ power) / (power @ power)
        fits.append((np.sqrt(np.mean((E + A * power - loss) ** 2)), E, A, alpha))
    rms, E, A, alpha = min(fits)
    return E, A, alpha, rms


# %%
def losses(tokens):
    """Of the trainings on so many letters: numbers in blocks (4,), nats a letter (3 seeds, 4)."""
    rows = [row for row in stored.rows("small_scaling") if row["tokens"] == tokens]
    N = sorted({row["in_blocks"] for row in rows})
    seeds = sorted({row["seed"] for row in rows})
    table = {(row["seed"], row["in_blocks"]): row["nats"] for row in rows}
    return np.array(N, dtype=float), np.array([[table[s, n] for n in N] for s in seeds])


def refits(N, loss):
    """Fits to every way of taking one seed for each size: E, A, α, rms (81, 4)."""
    ways = itertools.product(range(len(loss)), repeat=len(N))
    return np.array([power_law(N, loss[list(way), range(len(N))]) for way in ways])


# %% tags=["demo"] title="Loss against numbers, and against compute"
few, many = sorted({row["tokens"] for row in stored.rows("small_scaling")})
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6), sharey=True, layout="constrained")
said = []
for tokens, color, marker in ((few, "#D55E00", "s"), (many, "#0072B2", "o")):
    N, loss = losses(tokens)
    E, A, alpha, rms = power_law(N, loss.mean(0))
    curve = np.geomspace(N[0] / 1.5, N[-1] * 6)
    ways = refits(N, loss)
    band = ways[:, :1] + ways[:, 1:2] * curve ** -ways[:, 2:3]
    left.fill_between(curve, band.min(0), band.max(0), color=color, alpha=0.15, linewidth=0)
    left.plot(curve, E + A * curve**-alpha, color=color)
    name = f"{tokens:,} letters"
    for ax, x in ((left, N), (right, 6 * N * tokens)):
        ax.plot(np.tile(x, len(loss)), loss.ravel(), marker, color=color, label=name, markersize=4)
    right.plot(6 * N * tokens, loss.mean(0), color=color, linewidth=1)
    said.append(f"with {name} from {loss[:, 0].mean():.2f} to {loss[:, -1].mean():.2f}")
left.set(xscale="log", xlabel="numbers in blocks, N", ylabel="nats a letter, held out")
right.set(xscale="log", xlabel="6 N D, operations")
left.legend(frameon=False)
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
show(
    fig,
    "Loss falls with the size of the network, over four sizes from "
    f"{N[0]:,.0f} to {N[-1]:,.0f} numbers: {'; '.join(said)} nats a letter. Left, against the numbers, with a "
    "fitted power law plus constant and its band over seeds. Right, against 6 N D: at the same compute the line of "
    "more letters lies lower.",
)

# %% tags=["demo"] title="The fit, and what it cannot say"
for tokens in (few, many):
    N, loss = losses(tokens)
    E, A, alpha, rms = power_law(N, loss.mean(0))
    low, high = refits(N, loss).min(0), refits(N, loss).max(0)
    print(
        f"{tokens:,} letters: L = {E:.2f} + {A:.3g} / N^{alpha:.3f}, misfit {rms:.4f}; seeds differ by {np.ptp(loss, axis=0).mean():.3f}"
    )
    print(
        f"   over the 81 ways to choose a seed for each size: E {low[0]:.2f} to {high[0]:.2f}, α {low[2]:.3f} to {high[2]:.3f}"
    )
print("\nconstant given      best α    misfit")
for constant in (0.0, 0.5, 1.0, 1.25, 1.5):
    _, _, alpha, rms = power_law(N, loss.mean(0), constant)
    print(f"{constant:12.2f} {alpha:12.3f} {rms:9.4f}")

# %% [markdown]
r"""
### Read this with care

**A power law need not fit.** With half a million letters the four points do not lie on any power law: what the best fit misses is more than the seeds differ, and the fit runs to the end of its grid. That is a training of 256 steps. With four times the letters the same sizes lie on one, to a few thousandths of a nat. So a fit comes with its misfit, or it says nothing.

**Three numbers from four points.** One degree of freedom is left. Look at the constants of the last table, fitted to the longer trainings: with $E$ at 0, 0.5 or 1 the misfit stays at four thousandths of a nat or less, and $\alpha$ doubles on the way. Resampling the seeds alone lets $E$ go below 0, where no entropy can be. What the points do say is how the loss falls *between* them: 0.14 to 0.18 nats for each step of about four times the numbers. Where it ends they do not say: the entropy of Shakespeare is not in them.

**Equal compute.** Four times the numbers with a quarter of the letters cost the same $6ND$. Which of the two is better?
"""

# %% tags=["demo"] title="The same compute, divided in two ways"
(N, less), (_, more) = losses(few), losses(many)
print(f"{'6 N D':>8}    small, {many:,} letters    four times as large, {few:,} letters")
for i in range(len(N) - 1):
    small, large = more[:, i], less[:, i + 1]
    compute = 6 * N[i] * many
    better = "the letters" if small.mean() < large.mean() else "the size"
    print(
        f"{compute:8.1e}    {N[i]:9,.0f}: {small.mean():.3f} ± {np.ptp(small) / 2:.3f}     "
        f"{N[i + 1]:9,.0f}: {large.mean():.3f} ± {np.ptp(large) / 2:.3f}    better: {better}"
    )

# %% [markdown]
r"""
Here the letters win each time, with networks that have read little. With a larger budget it is the question that the two papers answer differently: how should compute be divided?
"""

# %% tags=["demo"] title="What the published fits say"
kaplan = lambda N: (8.8e13 / N) ** 0.076  # noqa: E731
hoffmann = lambda N, D: 1.69 + 406.4 / N**0.34 + 410.7 / D**0.28  # noqa: E731
print(
    "nats a token              Kaplan, data no limit    Hoffmann, data no limit    Hoffmann, D = 20 N"
)
for N in (1e6, 1e8, 1e10):
    print(
        f"{N:14,.0f} numbers {kaplan(N):16.2f} {hoffmann(N, np.inf):25.2f} {hoffmann(N, 20 * N):21.2f}"
    )
for compute in (1e18, 1e21, 1e24):
    sizes = np.geomspace(1e6, 1e13, 20_000)
    best = sizes[hoffmann(sizes, compute / (6 * sizes)).argmin()]
    print(
        f"with {compute:.0e} operations, Hoffmann's form is least at N = {best:.1e}, D = {compute / (6 * best):.1e}"
    )
print(f"so N grows as the power {0.28 / (0.34 + 0.28):.2f} of compute; Kaplan et al. had 0.73")

# %% [markdown]
r"""
**What compares, and what does not.** Their losses are nats a *token* of a vocabulary of tens of thousands, on the text of the web; ours are nats a *letter* of plays. $E$, $A$ and $N_c$ have no meaning without their text and their tokens. Exponents have no unit, but they belong to a range of sizes: theirs go from $10^3$ (Kaplan) or $7 \cdot 10^7$ (Hoffmann) numbers up to $10^{9}$ or $10^{10}$, and ours end below half a million.

**Fits have errors.** Hoffmann et al. fitted five numbers to hundreds of trainings. Besiroglu et al. (2024) read points off their figure and fitted again: other constants, and the published intervals were far too narrow. They had hundreds of points; we have four.

**Why the two papers disagree.** Hoffmann et al. name the schedule of the learning rate: Kaplan et al. read losses off long trainings midway, before the rate had come down. Each point above has a schedule of its own that ends where its training ends. Later work adds how embeddings are counted, and the warm-up (Pearce and Song, 2024; Porian et al., 2024). Our learning rate follows *one* rule for all sizes: we tried half and twice of it, at the shorter training and one seed, on three of the four, and changed nothing (twice of it was 0.02 nats better for width 32).

## What you should remember

An image is a text of pixels, and a GPT models it without a change; a class in front makes it conditional, and ten passes take the class out again, or read it. Given a class, nats look better by what the class tells: compare only numbers of the same quantity. A model that is told nothing of neighbors may do well without them: the scrambled images are the test, not the attention's picture. Loss falls with size by a power law plus a constant, over the range where points lie; constants need their units, and fits need their errors.

## Go further

 - M. Chen, A. Radford, R. Child et al. (2020). *Generative Pretraining from Pixels.* ICML. Image GPT: pixels of 512 colors as tokens.
 - N. Parmar, A. Vaswani, J. Uszkoreit et al. (2018). *Image Transformer.* ICML. Attention over neighborhoods of an image.
 - A. Ramesh, M. Pavlov, G. Goh et al. (2021). *Zero-Shot Text-to-Image Generation.* ICML. A caption's tokens, then 1,024 of an image, from a codebook that was learned first.
 - J. Kaplan, S. McCandlish, T. Henighan et al. (2020). *Scaling Laws for Neural Language Models.* arXiv 2001.08361.
 - J. Hoffmann, S. Borgeaud, A. Mensch et al. (2022). *Training Compute-Optimal Large Language Models.* NeurIPS. The fit is in appendix D.3.
 - T. Besiroglu, E. Erdil, M. Barnett, J. You (2024). *Chinchilla Scaling: A Replication Attempt.* arXiv 2404.10102.
 - T. Pearce, J. Song (2024). *Reconciling Kaplan and Chinchilla Scaling Laws.* TMLR. T. Porian, M. Wortsman, J. Jitsev, L. Schmidt, Y. Carmon (2024). *Resolving Discrepancies in Compute-Optimal Scaling of Language Models.* NeurIPS.

**Try:** give the images more classes than ten (a writer, a tilt), or sixteen shades of gray in place of two: the alphabet grows, and nothing else changes.
"""
