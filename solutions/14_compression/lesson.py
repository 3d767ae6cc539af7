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
#     name: 14_compression
#     title: "A model is a codec"
#     question: "A log-likelihood is a number on a screen. Can you hold it in your hand, as a file?"
#     minutes: 90
#     prerequisites: [02_chain_rule, 06_kl]
#     colab: [constriction]
# ---

# %%
import base64
import bz2
import copy
import io
import lzma
import math
import struct
import zlib
from fractions import Fraction
from itertools import count, product

import matplotlib.pyplot as plt
import numpy as np
import torch
from constriction import stream
from IPython.display import display
from PIL import Image
from sklearn.linear_model import LogisticRegression

from autograder import check
from course import data, full_size, kept_network, pretrained
from course.demo import solved
from course.device import device
from course.picture import show
from course.progress import tqdm
from figures import static
from figures.codec import CodecExplorer
from figures.predict import predict

# %% [markdown]
r"""
## Twenty questions, well asked

Somebody thinks of a word of three letters, each of them A, B or C. You ask questions that are answered with yes or no. If all 27 words are equally likely, you need $\log_2 27 = 4.75$ questions: five.

Suppose now that you *know* the one who chooses: A half of the time, B and C a quarter each. Then you ask "is it an A?" first. An A costs you one question, a B or a C two. That is all there is to compression:

> An outcome of probability $p$ costs $\log_2 \tfrac1p$ bits. To predict well **is** to compress well.

All models of this course give probabilities, one conditional at a time. So each of them is a file format. You will turn 300 digits into a file, and the file back into the digits, bit for bit; and at the end, write a letter that you can send.

The picture shows how probabilities become a file: the word BAC is an interval of numbers between 0 and 1, and to name the interval is to name the word. Follow it from line to line.
"""

# %% tags=["demo"]
static.show("shrinking-interval")

# %% tags=["demo"]
predict(
    "BAC takes five questions, and AAA three. How many does a word of this chooser take on average?",
    ["3", "4.5", "4.75", "5"],
    answer=1,
    why="Half of the letters are A and cost 1, the others cost 2: 1.5 a letter. Whoever does not know the "
    "chooser needs 4.75 at least.",
)

# %% [markdown]
r"""
Five digits: the interval has the width $\frac14 \cdot \frac12 \cdot \frac14 = \frac1{32}$, and $-\log_2 \frac1{32} = 5$. The number 0.10011 (binary) lies in it, and so does whatever you append to that.

## Exercise 1: the price of an outcome

`ideal_bits` · difficulty ●○○ · 5 minutes · 2 points

Shannon's (1948) lower bound on the average length of a code is a model's log-likelihood in another unit:

$$\text{bits}(x) = -\log_2 p(x) = -\frac{1}{\ln 2}\sum_i \log p(x_i \mid x_{<i}).$$

The logs of this course are natural; a bit is $\ln 2 = 0.693$ nats, so there are *more* bits than nats.

*By hand.* BAC has the log-probabilities $\ln\frac14, \ln\frac12, \ln\frac14$. They sum to $-3.466$ nats, and $3.466 / 0.693 = 5$ bits. With 0.4, 0.5 and 0.6 it is $2.120/0.693 = 3.06$ bits: no whole number, and it should stay none.

<details><summary>Hint 1</summary>

The sum comes first, then the unit. Divide by $\ln 2$, or multiply? 3.466 nats have to become 5 bits.
</details>
<details><summary>Hint 2</summary>

`math.log(2)` is $\ln 2$. `float(…)` turns a tensor of one number into a Python number.
</details>
"""

# %% tags=["demo"]
predict(
    "What does an outcome cost that the model calls impossible?",
    ["0 bits", "64 bits", "infinitely many"],
    answer=2,
    why="No file is long enough. Exercise 2 sees to it that this never happens.",
)


# %% exercise="ideal_bits"
def ideal_bits(log_probs):
    """The price of all outcomes together, in bits: a float, not rounded.

    log_probs: tensor of any shape, natural logs of the probabilities of what happened; −inf may be among them.
    """
    ### BEGIN SOLUTION
    return float(-log_probs.sum() / math.log(2))
    ### END SOLUTION


# %% check="ideal_bits" points=2
check(ideal_bits)

# %% [markdown]
r"""
### A model, to have something to pay for

Sixty-four logistic regressions from scikit-learn, one for each pixel of the 8×8 digits, each trained on the pixels before it. What matters here is its one method:

> `model.conditionals(x)` takes whole examples `(B, n)` and returns `(B, n, k)`: entry `[b, i]` is the distribution of symbol $i$ given the symbols before it.

`n` is the length of an example and `k` the number of symbols, here 64 and 2.
"""


# %%
class PixelRegressions:
    """A logistic regression for each of n bits; `sees(i)` lists the bits that number i may look at."""

    k = 2

    def __init__(self, x, sees):
        self.n = x.shape[1]
        self.weight, self.bias = torch.zeros(self.n, self.n), torch.zeros(self.n)
        for i in range(self.n):
            inputs, ones, count = list(sees(i)), int(x[:, i].sum()), len(x)
            if inputs and 0 < ones < count:
                fitted = LogisticRegression(C=0.4, max_iter=300).fit(x[:, inputs], x[:, i])
                self.weight[i, inputs] = torch.tensor(fitted.coef_[0]).float()
                self.bias[i] = float(fitted.intercept_[0])
            else:  # nothing to learn from: the frequency, with half an example for each side
                self.bias[i] = math.log((ones + 0.5) / (count - ones + 0.5))

    def conditionals(self, x):
        """Distributions of all bits of x (B, n): (B, n, 2)."""
        p = torch.sigmoid(x.float() @ self.weight.T + self.bias)
        return torch.stack([1 - p, p], dim=-1)


digits = data.digits()
test = digits.test.long()  # (300, 64)

# %% tags=["demo"]
model = PixelRegressions(digits.train.numpy(), sees=lambda i: range(i))


def log_probs_of(model, x):
    """The log-probability of each symbol of x (B, n), given those before: (B, n)."""
    return model.conditionals(x).gather(-1, x[..., None])[..., 0].double().log()


with solved("ideal_bits"):
    goal = ideal_bits(log_probs_of(model, test))
    print(f"300 digits: {test.numel():,} pixels, {test.numel():,} bits as they are")
    print(f"the model's price: {goal:,.0f} bits, {goal / len(test):.1f} a digit of 64 pixels")

# %% [markdown]
r"""
## From a price to a file

Here is the whole idea of **arithmetic coding** (Rissanen 1976; Pasco 1976), in exact fractions. Start with the interval $[0, 1)$. Each symbol cuts the interval into parts, as large as the probabilities, and keeps the part of the symbol that came:

$$\text{low} \leftarrow \text{low} + \text{width} \cdot \sum_{s < x_i} p(s), \qquad \text{width} \leftarrow \text{width} \cdot p(x_i).$$

At the end $\text{width} = p(x)$. Somewhere in an interval of that width lies a binary fraction of at most $\lceil -\log_2 p(x) \rceil + 1$ digits, such that all its continuations stay inside. Its digits are the file. The other side goes the same way: which part does the number lie in? That was the symbol. Keep the part, and go on.
"""


# %%
def interval(frequencies, word):
    """Where `word` ends, exactly: (low, width). `frequencies` has a row of whole numbers for each symbol."""
    low, width = Fraction(0), Fraction(1)
    for row, symbol in zip(frequencies, word, strict=True):
        low += width * Fraction(sum(row[:symbol]), sum(row))
        width *= Fraction(row[symbol], sum(row))
    return low, width


def shortest(low, width):
    """The shortest binary digits all of whose continuations lie in the interval, as text."""
    for length in count():
        number = math.ceil(low * 2**length)  # the first multiple of 2^−length that is not below
        if Fraction(number + 1, 2**length) <= low + width:
            return f"{number:0{length}b}" if length else ""


def read(digits, frequencies):
    """The word in whose interval the digits lie."""
    point, word = Fraction(int(digits or "0", 2), 2 ** len(digits)), []
    for row in frequencies:
        symbol = next(s for s in range(len(row)) if point < Fraction(sum(row[: s + 1]), sum(row)))
        point -= Fraction(sum(row[:symbol]), sum(row))
        point /= Fraction(
            row[symbol], sum(row)
        )  # where it lies in the part, which is now the whole
        word.append(symbol)
    return word


# %% tags=["demo"]
rows = [[2, 1, 1]] * 3  # of 4: A a half, B and C a quarter each
low, width = interval(rows, [1, 0, 2])
print(f"BAC: low = {low}, width = {width}, digits {shortest(low, width)}")
print("10011 reads as", "".join("ABC"[s] for s in read("10011", rows)))
for parts in ([2, 1, 1], [1, 2, 1]):
    lengths, mean = [], 0
    for word in product(range(3), repeat=3):
        lengths.append(len(shortest(*interval([parts] * 3, word))))
        mean += lengths[-1] * math.prod(parts[symbol] / 4 for symbol in word)
    print(f"parts {parts}, all 27 words: from {min(lengths)} to {max(lengths)} digits")
    print(f"on average {mean} digits; the entropy is {3 * 1.5} bits")

# %% [markdown]
r"""
With the half in front the average *is* the entropy: every part has a power of two as its width, *and* begins at a multiple of it. With the half in the middle the widths are the same, but that part lies across the middle of the line, which the first digit cuts, and the average is 5.0. It is never more than two bits above the entropy, for the **whole** message.

Two things keep this from being practical. The fractions grow with the message. A **range coder** (Martin 1979) cures that: as soon as the leading digits of the interval are settled, it writes them out and forgets them. We take one from a library, `constriction` (Bamler 2022). And a probability must be a whole number of parts, for the cuts to be exact: that cure is yours.

## Exercise 2: whole numbers that agree

`quantize` · difficulty ●●○ · 12 minutes · 4 points

Turn each distribution into $k$ whole numbers, its *frequencies*, such that

 - they sum to $2^{\text{bits}}$, exactly: the parts fill the interval, without a gap and without an overlap;
 - **none is 0**, not even where $p = 0$: a symbol without a part cannot be written, and what a model calls impossible happens;
 - they are as good as proportional to $p$.

The usual way: give every symbol one part first. That leaves $2^{\text{bits}} - k$ parts. Share them by $p$, rounded **down**. What the rounding leaves over goes to the most probable symbol, which feels it least.

$$f_s = 1 + \big\lfloor p_s\,(2^{\text{bits}} - k) \big\rfloor, \qquad f_{\arg\max p} \mathrel{+}= 2^{\text{bits}} - \textstyle\sum_s f_s.$$

*By hand*, 3 bits and $p = (0.7,\ 0.3,\ 0)$: $8 - 3 = 5$ parts to share, $5p = (3.5,\ 1.5,\ 0)$, rounded down $(3, 1, 0)$, with the one for everybody $(4, 2, 1)$. That is 7; the eighth goes to the first: $(5, 2, 1)$.

And the row's frequencies must depend on **the row alone**, in a way that both ends repeat. Single-precision probabilities sum to 1 only up to $10^{-7}$ to $10^{-5}$: divide by the sum, in double precision, before you share.

<details><summary>Hint 1</summary>

The distributions lie along the last axis, whatever comes before it: `.sum(dim=-1, keepdim=True)` and `.argmax(dim=-1, keepdim=True)` keep a column that fits. `torch.floor(…).long()` makes integers.
</details>
<details><summary>Hint 2</summary>

`f.scatter_add(-1, best, rest)` adds `rest` to `f` at the places `best` of the last axis.
</details>
"""

# %% tags=["demo"]
predict(
    "round(p * 2**bits), with 3 bits and (⅓, ⅓, ⅓): what goes wrong?",
    ["nothing", "the sum is 9", "a part is 0"],
    answer=1,
    why="(3, 3, 3). And (0.7, 0.3, 0) becomes (6, 2, 0), where the last has no part. Rounded numbers need not sum to anything.",
)


# %% exercise="quantize"
def quantize(probs, bits=20):
    """Whole-number frequencies of distributions: int64 (…, k), each row at least 1 and of sum 2^bits.

    probs: floats (…, k), not negative, of sum 1 up to rounding. ValueError if k exceeds 2^bits.
    """
    ### BEGIN SOLUTION
    k = probs.shape[-1]
    if k > 2**bits:
        raise ValueError(f"{k} symbols need at least {k} parts: got 2**{bits}")
    p = probs.double()
    p = p / p.sum(dim=-1, keepdim=True)
    frequencies = 1 + torch.floor(p * (2**bits - k)).long()
    rest = 2**bits - frequencies.sum(dim=-1, keepdim=True)
    return frequencies.scatter_add(-1, p.argmax(dim=-1, keepdim=True), rest)
    ### END SOLUTION


# %% check="quantize" points=4
check(quantize)

# %% [markdown]
r"""
What does rounding cost? You code with $q = f / 2^{\text{bits}}$ in the place of $p$, so it costs $\mathrm{KL}(p \,\|\, q)$ a symbol (lesson 6). Will 8 bits do for a pixel, and for a vocabulary of 1,000 words?
"""

# %% tags=["demo"]
predict(
    "For which of the two will 8 bits do?",
    ["for both", "for the pixel", "for neither"],
    answer=1,
    why="1,000 words have no place among 256 parts.",
)

# %% tags=["demo"]
with solved("quantize"):
    random = torch.Generator().manual_seed(0)
    rows = [" bits   a pixel   a vocabulary of 1,000   (bits lost for each symbol)"]
    for bits in (8, 10, 12, 16, 20):
        lost = []
        for k in (2, 1000):
            p = torch.softmax(2 * torch.randn(500, k, generator=random).double(), dim=-1)
            fits = 2**bits >= k
            q = quantize(p, bits).double() / 2**bits if fits else p.new_zeros(p.shape)
            lost.append((p * (p / q).log2()).sum(-1).mean())
        rows.append(f"{bits:5}  {lost[0]:8.6f}   {lost[1]:21.6f}")
    print("\n".join(rows))

# %% [markdown]
r"""
With 8 bits 1,000 words have no place at all, so that the loss is infinite; with 20 bits next to nothing is lost. We take 20.

## The library's two coders

`constriction` has two kinds of coder. One is a **queue** and the other a **stack**:

| | class | write | read |
|---|---|---|---|
| range coder (Martin 1979) | `RangeEncoder`, `RangeDecoder` | `encoder.encode(symbols, choice, table)` | `decoder.decode(choice, table)` |
| asymmetric numeral systems, ANS (Duda 2009) | `AnsCoder` for both | `coder.encode_reverse(symbols, choice, table)` | `coder.decode(choice, table)` |

A call codes a whole column: `symbols` is an array of m symbols, `table` an array (m, k) with a row of frequencies for each. `choice` tells the library that each symbol has its own row of frequencies; `symbols_of` and `table_of`, below, make the arrays that it wants.

The cell writes three columns, one after the other, into a queue and into a stack, and reads them back.
"""

# %% tags=["demo"]
predict(
    "In which order does the stack give the three columns back?",
    ["as they were written", "the last one first", "in none: an error"],
    answer=1,
    why="Last in, first out.",
)

# %%
RangeEncoder, RangeDecoder = stream.queue.RangeEncoder, stream.queue.RangeDecoder
AnsCoder = stream.stack.AnsCoder
choice = stream.model.Categorical(perfect=False)
BITS = 20


def symbols_of(column):
    """A column of symbols, (m,), as the library takes it."""
    return np.ascontiguousarray(column, dtype=np.int32)


def table_of(frequencies):
    """Rows of frequencies, (m, k), as the library takes them.

    It rounds them once more, to 24 bits, in the precision that they come in: so both ends come here.
    """
    return np.ascontiguousarray(frequencies, dtype=np.float32)


# %% tags=["demo"]
columns = np.array([[0, 0], [1, 1], [2, 2]])  # three columns of two symbols
table = table_of([[2, 1, 1]] * 2)

queue = RangeEncoder()
stack = AnsCoder()
for column in columns:
    queue.encode(symbols_of(column), choice, table)
    stack.encode_reverse(symbols_of(column), choice, table)
reader = RangeDecoder(queue.get_compressed())
print("queue:", [reader.decode(choice, table).tolist() for _ in columns])
print("stack:", [stack.decode(choice, table).tolist() for _ in columns])

# %% [markdown]
r"""
The stack gives the *last* column first: whoever fills it from back to front can read it from front to back. For us the queue is the simpler of the two. The decoder needs $x_1$ first, since without $x_1$ it has no $p(x_2 \mid x_1)$ to read on with.

## Exercise 3: write the file

`encode` · difficulty ●●○ · 12 minutes · 4 points

The sender knows all of `x`. So it asks the model **once**, for all conditionals at the same time, as training does. Then it codes column after column: first the first symbols of all examples, then the second ones, and so on, all into **one** stream. (Columns, since the receiver will ask the model for a whole batch at each step.)

The file is `encoder.get_compressed()`, an array of 32-bit words, turned to `bytes` by `.tobytes()`. Nothing else goes in: both sides know the model, `BITS`, and how many examples there are.

*By hand:* 300 digits at 26.31 bits are 7,893 bits, 987 bytes. The range coder writes whole words of 4 bytes: expect 988 or 992.

<details><summary>Hint 1</summary>

`frequencies = quantize(model.conditionals(x), BITS)` has the shape `(B, n, k)`. Which slice of it is the table for column `i` of `x`? (If `quantize` is not solved yet: the library also takes the conditionals themselves, and rounds them by a rule of its own.)
</details>
<details><summary>Hint 2</summary>

One encoder before the loop, one `encode` a column inside it, with `symbols_of` and `table_of`, and the bytes after it.
</details>
"""


# %% exercise="encode"
def encode(model, x):
    """The file of x: bytes.

    model: has n, k, and conditionals(x), floats (B, n, k). x: int64 symbols (B, n), each in 0 … k−1.
    """
    ### BEGIN SOLUTION
    frequencies = quantize(model.conditionals(x), BITS)  # (B, n, k)
    encoder = RangeEncoder()
    for i in range(model.n):
        encoder.encode(symbols_of(x[:, i]), choice, table_of(frequencies[:, i]))
    return encoder.get_compressed().tobytes()
    ### END SOLUTION


# %% check="encode" points=4
check(encode)

# %% tags=["demo"]
with solved("quantize", "encode"):
    message = encode(model, test)
    print(f"300 digits in {len(message):,} bytes = {8 * len(message):,} bits, {message[:8].hex()}…")
    print(f"promised: {ideal_bits(log_probs_of(model, test)):,.0f} bits")

# %% [markdown]
r"""
## Exercise 4: read it back

`decode` · difficulty ●●● · 20 minutes · 5 points

The receiver has the model and the message, and **not** `x`. It starts with an array of zeros. To read column 0 it needs $p(x_1)$, which depends on nothing: the model tells it, zeros or not. To read column 1 it needs $p(x_2 \mid x_1)$: put what was read in its place, and ask again. And so on: one pass of the model for each column.

> The sender asks once, the receiver $n$ times: *training against generation*, again.

**The rule of this exercise.** Both ends must get *the same numbers*, to the last bit. So ask the model for the full shape `(count, n)` each time, as the sender did, and use column `i` of the answer; treat the answer as the sender did, in the same precision. (Why, is a section below.)

*By hand*, with BAC: the number is 0.10011, that is 19/32 = 0.594. It lies in $[\frac12, \frac34)$, the part of B. Inside that it lies at $(0.594 - 0.5) / 0.25 = 0.375$, in $[0, \frac12)$: A. Inside that at $0.375 / 0.5 = 0.75$: C. The library does this; you provide the table for each step.

<details><summary>Hint 1</summary>

`np.frombuffer(message, dtype=np.uint32)` are the words again, for a `RangeDecoder`. `x = torch.zeros(count, model.n, dtype=torch.int64)` is what you know at the start.
</details>
<details><summary>Hint 2</summary>

Inside the loop: conditionals of what you know so far, **column i of them**, quantized as in `encode`; then `x[:, i] = torch.from_numpy(…)` of what the decoder reads.
</details>
"""

# %% tags=["demo"]
predict(
    "What if a conditional of column i looked at column i, or at a later one?",
    ["the file grows", "the receiver reads nonsense from there on", "nothing: the file comes back"],
    answer=1,
    why="It would need what it is about to read. It asks with a zero in that place, and gets another distribution than the sender had.",
)


# %% exercise="decode"
def decode(model, message, count=1):
    """The `count` examples of a file that `encode` wrote: int64 (count, n).

    model: has n, k, and conditionals(x), floats (B, n, k). message: bytes.
    """
    ### BEGIN SOLUTION
    decoder = RangeDecoder(np.frombuffer(message, dtype=np.uint32))
    x = torch.zeros(count, model.n, dtype=torch.int64)
    for i in range(model.n):
        frequencies = quantize(model.conditionals(x)[:, i], BITS)  # (count, k)
        x[:, i] = torch.from_numpy(decoder.decode(choice, table_of(frequencies)))
    return x
    ### END SOLUTION


# %% check="decode" points=5
check(decode)

# %% [markdown]
r"""
All 300 test digits: how many bytes are they, and what do the usual programs make of the same pixels, eight to a byte?
"""


# %% tags=["demo"]
def png_bytes(images):
    """Bytes of one PNG file, one bit a pixel, with the images (B, 64) below one another."""
    file = io.BytesIO()
    picture = Image.fromarray(np.uint8(255 * (1 - images.numpy())).reshape(-1, 8)).convert("1")
    picture.save(file, format="PNG", optimize=True)
    return len(file.getvalue())


with solved("ideal_bits", "quantize", "encode", "decode"):
    message = encode(model, test)
    back = decode(model, message, len(test))
    print("all 300 digits came back:", bool(torch.equal(back, test)))
    packed = np.packbits(test.numpy().astype(bool)).tobytes()
    sizes = {
        "as they are, 8 pixels a byte": len(packed),
        "zlib (gzip's method)": len(zlib.compress(packed, 9)),
        "bz2": len(bz2.compress(packed)),
        "lzma (xz)": len(lzma.compress(packed)),
        "PNG, one file for all": png_bytes(test),
        "your codec, a stream for each": sum(len(encode(model, x[None])) for x in test),
        "your codec, one stream": len(message),
        "promised: −log2 p": math.ceil(ideal_bits(log_probs_of(model, test)) / 8),
    }
    for name, size in sizes.items():
        print(f"{name:>30} {size:6,} bytes {8 * size / len(test):6.1f} bits a digit")
    price = ideal_bits(log_probs_of(model, test))
    print(
        f"above the price: {8 * len(message) - price:.1f} bits, {8 * len(message) / price - 1:.2%}"
    )

# %% [markdown]
r"""
*Against the others.* Zlib and its kin know nothing of digits. Your codec came with a model that had seen 1,297 digits. That is not free: **the receiver must have the model**, and its 2,080 numbers are larger than all 300 digits.

*Against itself.* A stream for each digit costs about 38 bits where one stream costs 26: the library writes whole words of 32 bits, and a digit of 26 bits fills one, or two. The rounding is paid once for each stream. So code a set as one stream.

### Watch the interval

One digit, your own functions. Each step shows the interval of the step before, stretched to full width and cut by your frequencies; the part of the pixel that came is kept. The digit at the left shows **where the bits go**.

 1. Go through the pixels with → (Page Down jumps eight). Which pixels cost next to nothing?
 2. Find the dearest pixel. What would you have predicted there?
 3. The digits that are settled lag behind the price. Why?
"""

# %% tags=["demo"]
CodecExplorer.of(encode, decode, quantize, model, test[:12], title="a test digit", step=4)

# %% [markdown]
r"""
<details><summary>Answers</summary>

1. The border, which is nearly always white, and the inside of a stroke.
2. Where a stroke begins, ends or turns: the places where the digit is decided.
3. A digit is settled when it is the same at both ends of the interval. A narrow interval may still lie across the middle, like 0.0111… to 0.1000…, and then nothing is settled yet.
</details>

### To decode is to sample

Bytes that no one has ever encoded, straight from a random number generator:
"""

# %% tags=["demo"]
predict(
    "What does your decode make of random bytes?",
    ["white noise", "digits", "an error, nearly always"],
    answer=1,
    why="Each decoded digit is a draw from the model: the next cell shows twelve, and the text below says why.",
)


# %% tags=["demo"]
def draw_rows(rows, alt):
    """Rows of 8×8 images with a title each."""
    fig, axes = plt.subplots(len(rows), 12, figsize=(8, 0.85 * len(rows)), constrained_layout=True)
    for line, (title, images) in zip(np.atleast_2d(axes), rows, strict=True):
        line[0].set_ylabel(title, rotation=0, ha="right", va="center")
        for ax, image in zip(line, images, strict=True):
            ax.imshow(np.reshape(image, (8, 8)), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
    show(fig, alt)


with solved("quantize", "decode"):
    noise = np.random.default_rng(6).bytes(400)
    draw_rows(
        [("test set", test[:12]), ("decoded noise", decode(model, noise, 12))],
        "Two rows of twelve 8 by 8 images. Test set: digits. Decoded noise: strokes like those of digits, about half of them readable.",
    )

# %% [markdown]
r"""
Digits. The message names a point of the line $[0, 1)$; coin flips name an even one, and the part of $x$ is $p(x)$ wide. The decoder *is* ancestral sampling, with the message for a random number generator. (Very seldom the library refuses, with an `AssertionError`: a range coder leaves a tiny share of messages unused.)

## A page of text

The small language model of this course predicts *tokens*, pieces of words. As a codec's model it needs no more than a method. We cut a page that it has never seen into rows of 96 tokens, which are read side by side; each row begins with an empty memory.
"""


# %%
class PageModel:
    """A language model in the form of a codec's model: rows of n tokens, each begun after a line's end."""

    def __init__(self, language_model, n):
        self.language_model, self.n, self.k = language_model, n, language_model.vocab_size
        self.first = int(language_model.encode("\n")[0])

    @torch.no_grad()
    def conditionals(self, x):
        """Distributions of all tokens of x (B, n): (B, n, k). Row i follows x_{<i} alone."""
        before = torch.cat([torch.full((len(x), 1), self.first), x[:, :-1]], dim=1)
        return self.language_model.logits(before).double().softmax(dim=-1)


def rows_of(language_model, text, n, most=5):
    """As many whole rows of n tokens as the text has, `most` at most: int64 (B, n)."""
    tokens = torch.as_tensor(language_model.encode(text)).reshape(-1)
    rows = min(most, len(tokens) // n)
    return tokens[: rows * n].reshape(rows, n)


# %% tags=["demo"]
language_model = pretrained.language_model(pretrained.SMALL)
page_model = PageModel(language_model, min(96, language_model.context))
page = rows_of(language_model, pretrained.held_out(), page_model.n)
text = language_model.decode(page.reshape(-1).tolist())
print(f"{len(text):,} characters, {page.numel()} tokens of a vocabulary of {page_model.k:,}:\n")
print(text[:300] + "…")

# %% [markdown]
r"""
And how many bytes is the page?
"""

# %% tags=["demo"]
predict(
    "zlib needs six bytes for every ten of such a page. How many does your codec need, with the model?",
    ["five or six", "two or three", "not even one"],
    answer=1,
    why="The cell below has all sizes.",
)

# %% tags=["demo"]
with solved("ideal_bits", "quantize", "encode", "decode"):
    raw = text.encode("utf-8")
    page_message = encode(page_model, page)
    sizes = {
        "as it is": len(raw),
        "zlib": len(zlib.compress(raw, 9)),
        "bz2": len(bz2.compress(raw)),
        "lzma (xz)": len(lzma.compress(raw)),
        "your codec": len(page_message),
        "promised: −log2 p": math.ceil(ideal_bits(log_probs_of(page_model, page)) / 8),
    }
    for name, size in sizes.items():
        print(f"{name:>18} {size:6,} bytes {8 * size / len(text):6.2f} bits a character")
    returned = decode(page_model, page_message, len(page))
    print("the page came back:", language_model.decode(returned.reshape(-1).tolist()) == text)

# %% [markdown]
r"""
(Fair only if the receiver has the model's weights anyway: they are thousands of times larger than the page.)

Where do the bits go? Look for names, for the first word of a sentence, for the second half of a long word.
"""

# %% tags=["demo"]
with solved("encode", "quantize"):
    labels = [language_model.decode([int(token)]) for token in page[0]]
    title = "the first row of the page"
    display(CodecExplorer.of(encode, None, quantize, page_model, page[:1], labels, title))

# %% [markdown]
r"""
## The same numbers at both ends

Your decoder works if it gets the sender's numbers *to the last bit*. Ways to lose them:

| what differs | why the numbers do |
|---|---|
| float32 here, float64 there | rounding to $2^{-24}$ and to $2^{-53}$ |
| batch of 40 here, of 1 there | another kernel for another shape: sums in another order |
| another device, processor or library version | other instructions, other sums, another $\exp$ |

A sum of floats depends on its order: $(a + b) + c \ne a + (b + c)$ in the last bit. The language model prices 40 lines in one call, and then one by one. In how many of the 960 places do the frequencies of 20 bits differ? And if it computes in double precision?
"""

# %% tags=["demo"]
exact = copy.deepcopy(language_model).double()  # the same weights, sums in double precision
with solved("quantize"):
    lines = rows_of(language_model, pretrained.held_out(), 24, most=40)
    for name, one in (("float32", language_model), ("float64", exact)):
        line_model = PageModel(one, 24)
        together = line_model.conditionals(lines)
        apart = torch.cat([line_model.conditionals(line[None]) for line in lines])
        differ = (quantize(together) != quantize(apart)).any(-1).sum()
        far = (together - apart).abs().max()
        print(f"{name}: p differs by up to {far:.0e}; {differ} of {lines.numel()} tables differ")

# %% [markdown]
r"""
**Rounding to whole numbers does not save you**: it hides a difference of $10^{-7}$ as long as no value lies beside a step of the staircase; of 2,048 values in a table, some often do. At $10^{-15}$ that is rare. Does one part in a million matter? Break your codec on purpose:
"""

# %% tags=["demo"]
predict(
    "One part in a million differs. What becomes of the file?",
    [
        "a pixel here and there is wrong",
        "all is wrong from some column on",
        "nothing: it comes back",
    ],
    answer=1,
    why="Each bit that is read doubles the shift. (With luck no table differs at all.)",
)


# %% tags=["demo"]
class OtherPrecision:
    """The same model, computed in another precision."""

    n, k = 64, 2

    def __init__(self, model, dtype):
        self.weight, self.bias = model.weight.to(dtype), model.bias.to(dtype)

    def conditionals(self, x):
        p = torch.sigmoid(x.to(self.weight.dtype) @ self.weight.T + self.bias)
        return torch.stack([1 - p, p], dim=-1)


with solved("quantize", "encode", "decode"):
    double = OtherPrecision(model, torch.float64)
    try:
        back = decode(double, encode(model, test), 300)
        wrong = (back != test).any(0).int()
        where = (
            f"wrong from column {int(wrong.argmax())} on" if wrong.any() else "all right, by luck"
        )
        share = (back != test).float().mean()
        print(f"written in float32, read in float64: {where}; {share:.0%} of all pixels wrong")
    except AssertionError:
        print("written in float32, read in float64: the decoder gave up")

# %% [markdown]
r"""
One part in a million, and the rest of the file is lost: every bit that is read stretches the interval to twice its width, and the shift with it; after some twenty bits it is as wide as the interval itself.

What helps: compute the conditionals in **integers**, whose sums have no order (Ballé, Johnston and Minnen 2019); ship the code path with the file, the same library, device and shapes; send a checksum to notice it. On *one* machine with *one* code path the rule of exercise 4 is enough.

## Exercise 5: a receiver without a model

`decode_learning` · difficulty ●●○ · 8 minutes · 2 points

So far the receiver had to have the model. It can do without, if both sides have the same *rule of learning*. The sender writes the first ten digits with a model that has learned from nothing. Then it learns from these ten, writes the next ten with that, learns from twenty, and so on. The receiver, who has just read the first ten, can learn from them **too**. This is *prequential* coding (Dawid 1984), and its price is

$$-\log_2 p(x) = \sum_{\text{blocks } j} -\log_2 p_{\text{learned from blocks } 1 \dots j-1}(\text{block } j).$$

The chain rule once more, one level up: a block is predicted from the blocks before it. The sender is given:
"""


# %%
def encode_learning(learn, x, sizes):
    """The files of x (B, n), one a block of so many examples: each by what was learned before it."""
    files, seen = [], 0
    for size in sizes:
        files.append(encode(learn(x[:seen]), x[seen : seen + size]))
        seen += size
    return files


# %% [markdown]
r"""
`learn(x)` takes examples `(seen, n)`, none at all at first, and returns a model. Write the receiver. It has `learn`, the files and the sizes, and not `x`.

*By hand.* `sizes` $= (2, 3)$. The first file is read by `learn` of no examples, shape `(0, n)`: that gives examples 1 and 2. The second is read by `learn` of examples 1 and 2, and gives 3, 4 and 5. What `learn` makes of all five, nobody needs.

<details><summary>Hint 1</summary>

`x = torch.zeros(0, n, dtype=torch.int64)` is what you know at the start: no example. Your `decode` reads one file, if it is told how many examples are in it.
</details>
<details><summary>Hint 2</summary>

One loop over `zip(files, sizes)`. `torch.cat([x, new])` puts new examples behind the old ones.
</details>
"""

# %% tags=["demo"]
predict(
    "The sender trains on blocks 1 … j to write block j, and the files get shorter. What is wrong?",
    ["nothing", "the receiver cannot have that model yet", "the sizes do not fit"],
    answer=1,
    why="It has not read block j when it needs the model for it: exercise 4's leak, one level up.",
)


# %% exercise="decode_learning"
def decode_learning(learn, files, sizes, n):
    """The examples that `encode_learning` wrote: int64 (sum of sizes, n).

    learn: examples int64 (seen, n) → a model. files: a list of bytes. sizes: how many examples are in each.
    """
    ### BEGIN SOLUTION
    x = torch.zeros(0, n, dtype=torch.int64)
    for file, size in zip(files, sizes, strict=True):
        x = torch.cat([x, decode(learn(x), file, size)])
    return x
    ### END SOLUTION


# %% check="decode_learning" points=2
check(decode_learning)

# %% [markdown]
r"""
All 1,797 digits, from nothing. The blocks double, so that learning is not repeated too often. From which block on is zlib beaten, and is it beaten in all?
"""

# %% tags=["demo"]
predict(
    "What does a digit of the first block cost, of 64 pixels?",
    ["26 bits", "45 bits", "67 bits"],
    answer=2,
    why="A model that has seen nothing spends a bit on each pixel; what is more is the rounding of a short file.",
)

# %% tags=["demo", "unfolded"]
every = torch.cat([digits.train, digits.valid, digits.test]).long()  # (1797, 64)
SIZES = (10, 10, 20, 40, 80, 160, 320, 640, 517)


def learn(seen):
    """The 64 regressions, trained on what has been read."""
    return PixelRegressions(seen.numpy(), sees=lambda i: range(i))


# %% tags=["demo"]
with solved("quantize", "encode", "decode", "decode_learning"):
    files = encode_learning(learn, every, SIZES)
    came = torch.equal(decode_learning(learn, files, SIZES, 64), every)
    total, packed = 8 * sum(map(len, files)), np.packbits(every.numpy().astype(bool)).tobytes()
    by_zlib = 8 * len(zlib.compress(packed, 9)) / len(every)
    bits = [8 * len(file) / size for file, size in zip(files, SIZES, strict=True)]
    print("bits a digit, block by block:", ", ".join(f"{b:.1f}" for b in bits))
    print(f"all 1,797 digits came back: {came}; {total:,} bits, {total / len(every):.1f} a digit")
    print(f"zlib needs {by_zlib:.1f} a digit; 2,080 weights in float32 are {2080 * 32:,} bits")
    fig, ax = plt.subplots(figsize=(6, 3), constrained_layout=True)
    ax.step(np.cumsum([1, *SIZES]), [bits[0], *bits], where="pre", color="#0072B2", label="learned")
    ax.axhline(by_zlib, color="#D55E00", ls="--", label="zlib")
    ax.set(xscale="log", xlabel="digits", ylabel="bits a digit", ylim=(0, None))
    ax.legend()
    show(
        fig,
        "Bits a digit, block by block, against the number of digits: from 67 in the first block they fall below zlib's line within a hundred digits, and to 26 at the end.",
    )

# %% [markdown]
r"""
The model was never sent: the area between the steps and the last of them is the price of learning it. (A large language model learns so from its prompt alone, without a change of its weights: Brown et al., NeurIPS 2020.)

**A number to beat: 49,760 bits** for the 1,797 digits. Write another `learn`: its model needs the method `conditionals`.

## Exercise 6: the best causality test of all

`round_trip` · difficulty ●○○ · 8 minutes · 2 points

Suppose that a conditional sees what it should not. Its log-likelihood gets wonderful, and nothing in training complains. The codec does: it writes a wonderfully short file, and *cannot read it*.

Write the test: `True` if `x` comes back exactly, `False` if not. A decoder that has lost its way may meet a message that makes no sense under the model; then the library raises an `AssertionError`, and the answer is `False` too. (A real mistake in the code, a `TypeError` say, should *not* be swallowed.)

<details><summary>Hint 1</summary>

Encode, decode (how many examples?), compare. `torch.equal` is true where shapes and all values agree.
</details>
<details><summary>Hint 2</summary>

`try:` the decoding; `except AssertionError:` return `False`.
</details>
"""

# %% tags=["demo"]
predict(
    "Is there an x that comes back although the model peeks?",
    ["no", "yes: all zeros", "yes: every training image"],
    answer=1,
    why="The decoder asks with zeros in the places that it does not know. If they are zeros, it has the sender's numbers by luck: test on examples that vary.",
)


# %% exercise="round_trip"
def round_trip(model, x):
    """Whether x, int64 (B, n), comes back exactly from its file: True or False."""
    ### BEGIN SOLUTION
    message = encode(model, x)
    try:
        return torch.equal(decode(model, message, len(x)), x)
    except AssertionError:
        return False
    ### END SOLUTION


# %% check="round_trip" points=2
check(round_trip)

# %% [markdown]
r"""
Three sets of 64 regressions, trained on the same digits. The first sees the pixels before; the second all pixels but its own, like a masked language model that fills gaps; the third all of them. And white noise under the first, 64 bits as it is.
"""

# %% tags=["demo"]
predict(
    "Which file is the shortest, and which come back?",
    [
        "the first, and it alone comes back",
        "the second; it and the first come back",
        "the third, and all come back",
        "the third, and the first alone comes back",
    ],
    answer=3,
    why="Run the next cell for the sizes.",
)

# %% tags=["demo"]
peeking = {
    "sees the pixels before": model,
    "sees all but its own": PixelRegressions(
        digits.train.numpy(), lambda i: (j for j in range(64) if j != i)
    ),
    "sees its own pixel, too": PixelRegressions(digits.train.numpy(), lambda i: range(64)),
}
with solved("ideal_bits", "quantize", "encode", "decode", "round_trip"):
    for name, one in peeking.items():
        price, size = ideal_bits(log_probs_of(one, test)), 8 * len(encode(one, test))
        came = "comes back" if round_trip(one, test) else "does NOT come back"
        print(f"{name:>24}: price {price:6,.0f} bits, file {size:6,} bits, {came}")
    noise = torch.randint(0, 2, (300, 64), generator=torch.Generator().manual_seed(1))
    price = ideal_bits(log_probs_of(model, noise)) / 300
    print(f"noise: {price:.1f} bits an image; comes back: {round_trip(model, noise)}")

# %% [markdown]
r"""
### Is that so?

> "The lower the loss, the better the model."

The third model has by far the lowest loss of the three, and its file is worth nothing. A loss compares models only if all of them *are* distributions. The round trip unmasks those that are none, as far as its files go: the tables of both ends were equal *for these*. A model that peeks at a pixel which is white in all of them comes back.

> "A good model compresses everything."

There are $2^{64}$ images, and fewer files that are shorter than 64 bits, so no codec shortens them all. Where files may follow each other without a mark (a *prefix code*), their lengths obey Kraft's inequality, $\sum 2^{-\text{length}} \le 1$: 64 bits for each of the $2^{64}$ images use up the whole sum, so whoever shortens one lengthens another. Noise costs more than 64 bits here, and comes back.

## A letter

The cell below turns your text into a file, and the file into a line that fits into any chat; put a line that you got into `RECEIVED`. In front stand the number of tokens and a checksum: your round trip speaks for the tables of *your* machine, the checksum for your friend's. (Both compute in double precision: tables seldom differ.)
"""

# %%
TEXT = "My lord, the letter that I send you weighs a feather."  # yours
RECEIVED = ""  # a line that somebody sent you


def letter(text):
    """A text as a line: its number of tokens, a checksum, and its file, in base64."""
    tokens = torch.tensor([language_model.encode(text)])  # (1, n)
    head = struct.pack("<HI", tokens.shape[1], zlib.crc32(text.encode()))
    file = encode(PageModel(exact, tokens.shape[1]), tokens)
    return base64.b64encode(head + file).decode()


def opened(line):
    """The text of a letter, and whether its checksum agrees."""
    data = base64.b64decode(line)
    n, checksum = struct.unpack("<HI", data[:6])
    text = language_model.decode(decode(PageModel(exact, n), data[6:])[0].tolist())
    return text, zlib.crc32(text.encode()) == checksum


# %% tags=["demo"]
with solved("quantize", "encode", "decode"):
    line = letter(TEXT)
    size = len(base64.b64decode(line))
    print(
        f"{len(TEXT.encode())} bytes of text, a file of {size} bytes, 6 of them in front:\n{line}"
    )
    for name, one in (("your own", line), ("received", RECEIVED)):
        if one:
            said, agrees = opened(one)
            print(f"{name}: {said!r}; the checksum {'agrees' if agrees else 'does NOT agree'}")

# %% [markdown]
r"""
## At full size

Lesson 09 ends with a PixelCNN at full size and keeps it on this machine, with ten test images. It takes images where your codec has rows: a few lines turn one into the other. To read is one pass for each pixel, 784 at full size: on a processor a second or more each, so the bar may ask for half an hour there. (It computes in double precision. Some quick ways to convolve, Winograd's among them (Lavin and Gray, 2016), mix what a mask hides into their sums and take it out again, up to rounding: the receiver, who knows less of the image, could get other last bits. At $10^{-16}$ a table seldom differs.)
"""


# %%
class ImageModel:
    """A network for images in the form of a codec's model: rows of side² pixels.

    passed: is called after each pass of the network.
    """

    k = 2

    def __init__(self, network, images, passed=lambda: None):
        self.network, self.shape, self.device = network, images.shape, images.device
        self.n, self.passed = images[0].numel(), passed

    @torch.no_grad()
    def conditionals(self, x):
        """Distributions of all pixels of x (B, n): (B, n, 2)."""
        logits = self.network(x.to(self.device).view(self.shape))  # (B, 2, 1, side, side)
        self.passed()
        return logits.softmax(dim=1).flatten(2).transpose(1, 2).cpu()


# %% tags=["demo"]
kept = kept_network.kept("PixelCNN", device())
with solved("ideal_bits", "quantize", "encode", "decode"):
    if kept is None:
        told = full_size.stored("PixelCNN")
        print("No PixelCNN is kept here: run the last cell of lesson 09 (without a card with")
        print('size = "smaller"), and then this one. A stored one, at full size:')
        print(f"the price of a test image of 784 pixels: {told.nats / math.log(2):.1f} bits")
        if told.file:
            print(
                "files of {images:.0f}: price {price:,.0f}, written {bits:,.0f} bits".format(
                    **told.file
                )
            )
    else:
        painter, rows = ImageModel(*kept), kept[1].flatten(1).cpu()
        price, file = ideal_bits(log_probs_of(painter, rows)), encode(painter, rows)
        with tqdm(total=painter.n, desc="reading", unit="pass") as bar:
            back = decode(ImageModel(*kept, bar.update), file, len(rows))
        packed = np.packbits(rows.numpy().astype(bool)).tobytes()
        print(
            f"{len(rows)} images of {painter.n} pixels; zlib: {8 * len(zlib.compress(packed, 9)):,} bits"
        )
        print(
            f"price {price:,.0f} bits, file {8 * len(file):,} bits, {price / len(rows):.1f} an image"
        )
        print("all came back:", torch.equal(back, rows))

# %% [markdown]
r"""
## A question to answer in words

A colleague reports: "My new bidirectional model has a cross-entropy of 4.2 bits a digit, against your 26.3. So it compresses six times better."

 1. Explain to them what their number is, why there is no file of that size, and which experiment would show it to them in a minute.
 2. Their next model passes the round trip on their own machine. They mail a file to you; you have the same weights, and read garbage from column 9 on. Name two possible causes, and one cure for each.
 3. Both of you shorten *English* text to 2 bits a character. Why does no program shorten *every* text?

A few sentences for each.
"""

# %% [markdown] question="no_file" points=2
r"""
### BEGIN SOLUTION
1. Each of their outputs sees pixels that come later (or the pixel itself): conditionals given the *rest*, whose product is no joint distribution, and does not sum to 1. The receiver would need the later pixels to compute the table for the earlier ones: it cannot begin. Experiment: encode and decode one batch of digits; it does not come back.
2. The tables differ in the last bits, from column 9 on or before: another precision (the same dtype at both ends), another batch shape (the same shape), another device or library version (ship the code path, or integer arithmetic; a checksum to notice it). Also possible: another quantization, or a stack and a queue.
3. Counting: there are $2^n$ texts of $n$ bits, and only $2^n - 1$ files shorter than $n$ bits, so no rule that can be undone shortens all of them. A codec shortens what its model expects and lengthens the rest; English is a tiny part of all texts.

Rubric: ½ point for "the product is no distribution" or "the receiver would need the future", ½ for "decode and compare". ½ point for two causes with a cure each. ½ point for the counting argument.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

What has probability $p$ costs $-\log_2 p$ bits, and an arithmetic coder pays that price up to a few bits for a whole file. The encoder asks the model once, the decoder once for each symbol, and both must get the same numbers to the last bit. A receiver that learns as it reads needs no model. A model that peeks promises a tiny file that nobody can read: the round trip is a test of causality, as strict as the files it is asked of.

All lessons have one identity, $p(x) = \prod_i p(x_i \mid x_{<i})$. It is exact, and it is no model; each lesson asked what computes the conditionals. What training lowers, generation spends and compression saves is *one number*, $-\log p(x)$.

## Appendix: the neighbors

Nothing here is asked for.

| | what is learned | likelihood | cost of a sample |
|---|---|---|---|
| **autoregressive** | conditionals, in an order | exact | $n$ steps |
| **normalizing flow** (Dinh et al., ICLR 2017) | an invertible map to noise | exact | one pass with coupling layers; $n$ if autoregressive |
| **VAE** (Kingma and Welling, ICLR 2014) | a decoder from a latent code, and an encoder | lower bound | one pass |
| **GAN** (Goodfellow et al., NIPS 2014) | a generator, by a contest with a critic | none | one pass |
| **diffusion** (Ho et al., NeurIPS 2020) | to undo noise, step by step | bound; exact through an ODE (Song et al., ICLR 2021) | tens to hundreds of passes |

A masked autoregressive flow (Papamakarios et al., NIPS 2017) is MADE with Gaussian conditionals. A VAE's bound can be *paid*: with a stack coder, "bits back" (Townsend, Bird and Barber 2019) stores data in as many bits as the bound says, up to a constant.

*Larger.* The loss of language models falls like a power of model size, data and computation (Kaplan et al., arXiv 2001.08361; Hoffmann et al., NeurIPS 2022).

*Faster.* In speculative decoding (Leviathan, Kalman and Matias 2023) a small model $q$ drafts a few symbols, and the large model $p$ judges all of them in **one** pass: $s$ is accepted with probability $\min(1, p_s/q_s)$; at the first refusal one draws from $\max(p - q, 0)$, normalized. The result is distributed *exactly* as $p$.

## Go further

 - C. E. Shannon (1948). *A Mathematical Theory of Communication.* Bell System Technical Journal 27.
 - J. Rissanen (1976). *Generalized Kraft Inequality and Arithmetic Coding.* IBM J. Res. Dev. 20. · G. N. N. Martin (1979). *Range encoding.* Video and Data Recording Conference.
 - I. H. Witten, R. M. Neal, J. G. Cleary (1987). *Arithmetic Coding for Data Compression.* Communications of the ACM 30.
 - A. P. Dawid (1984). *Statistical Theory: The Prequential Approach.* J. Royal Statistical Society A 147. · L. Blier, Y. Ollivier (2018). *The Description Length of Deep Learning Models.* NeurIPS.
 - R. Bamler (2022). *Understanding Entropy Coding With Asymmetric Numeral Systems.* arXiv:2201.01741. The method is J. Duda's (2009), arXiv:0902.0271.
 - J. Ballé, N. Johnston, D. Minnen (2019). *Integer Networks for Data Compression with Latent-Variable Models.* ICLR. · J. Townsend, T. Bird, D. Barber (2019). *Practical Lossless Compression with Latent Variables using Bits Back Coding.* ICLR.
 - G. Delétang et al. (2024). *Language Modeling Is Compression.* ICLR. · Y. Leviathan, M. Kalman, Y. Matias (2023). *Fast Inference from Transformers via Speculative Decoding.* ICML.

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>What does an outcome of probability p cost, and how is that paid to a fraction of a bit?</summary>

$-\log_2 p$ bits. The interval of the whole message has the width $p(x)$; fractions are added up in it, and rounded once, at the end.
</details>
<details><summary>How often does the sender ask the model, and how often the receiver? Why?</summary>

Once, since it knows all of x. n times, since each table needs the symbols before it.
</details>
<details><summary>The same weights on two machines: why may the file not come back?</summary>

Floating-point sums depend on their order, and the order on shape, device and library. One table that differs ruins the rest.
</details>
"""
