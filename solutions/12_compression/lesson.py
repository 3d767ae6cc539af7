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
#     name: 12_compression
#     title: "A model is a codec"
#     question: "A log-likelihood is a number on a screen. Can you hold it in your hand, as a file?"
#     minutes: 90
#     prerequisites: [02_chain_rule, 06_kl]
#     colab: [constriction]
# ---

# %%
import bz2
import io
import lzma
import math
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
from course import data, pretrained
from course.demo import solved
from course.picture import show
from figures import static
from figures.codec import CodecExplorer

# %% [markdown]
r"""
## Twenty questions, well asked

Somebody thinks of a word of three letters, each of them A, B or C. You ask questions that are answered with yes or no. If all 27 words are equally likely, you need $\log_2 27 = 4.75$ questions: five.

Suppose now that you *know* the one who chooses: A half of the time, B and C a quarter each. Then you ask "is it an A?" first. An A costs you one question, a B or a C two. The better you know somebody, the fewer questions you need. That is all there is to compression:

> An outcome of probability $p$ costs $\log_2 \tfrac1p$ bits. To predict well **is** to compress well.

All models of this course give probabilities, one conditional at a time. So each of them is a file format. This lesson makes that literal: you will write a program that turns 300 digits into a file, and the file back into the 300 digits, bit for bit, with the model of your choice in
the middle. At the end of it stands the hardest test of an autoregressive model that there is: *does the file come back?*

The picture shows how probabilities become a file: the word BAC is an interval of numbers between 0 and 1, and to name the interval is to name the word. **Predict:** how many binary digits does it take?
"""

# %% tags=["demo"]
static.show("shrinking-interval")

# %% [markdown]
r"""
<details><summary>Answer</summary>

Five. The interval has the width $\frac14 \cdot \frac12 \cdot \frac14 = \frac1{32}$, and $-\log_2 \frac1{32} = 5$: the number 0.10011 (binary) lies in it, and so does whatever you append to that.
</details>

## Exercise 1: the price of an outcome

`ideal_bits` · difficulty ●○○ · 5 minutes · 2 points

Shannon's (1948) lower bound on the average length of a code is a model's log-likelihood in another unit:

$$\text{bits}(x) = -\log_2 p(x) = -\frac{1}{\ln 2}\sum_i \log p(x_i \mid x_{<i}).$$

The logs of this course are natural; a bit is $\ln 2 = 0.693$ nats, so there are *more* bits than nats.

*By hand.* BAC has the log-probabilities $\ln\frac14, \ln\frac12, \ln\frac14 = -1.386, -0.693, -1.386$. They sum to $-3.466$ nats, and $3.466 / 0.693 = 5$ bits. For the B-A-C of lesson 2, with 0.4, 0.5 and 0.6, it is $2.120/0.693 = 3.06$ bits: no whole number, and it should stay none. A
file has whole bytes; a *price* has not, and the rounding is paid once for a whole file.

**Predict:** what does an outcome cost that the model calls impossible?

<details><summary>Answer</summary>

$-\log_2 0 = \infty$. No file is long enough. Exercise 2 sees to it that this never happens.
</details>

<details><summary>Hint 1</summary>

The sum comes first, then the unit. Divide by $\ln 2$, or multiply? 3.466 nats have to become 5 bits.
</details>
<details><summary>Hint 2</summary>

`math.log(2)` is $\ln 2$. `float(…)` turns a tensor of one number into a Python number.
</details>
"""


# %% exercise="ideal_bits"
def ideal_bits(log_probs):
    """The price of all outcomes together, in bits: a float, not rounded.

    log_probs: tensor of any shape, natural logs of the probabilities of what happened; −inf gives inf.
    """
    ### BEGIN SOLUTION
    return float(-log_probs.sum() / math.log(2))
    ### END SOLUTION


# %% check="ideal_bits" points=2
check(ideal_bits)

# %% [markdown]
r"""
### A model, to have something to pay for

Sixty-four logistic regressions from scikit-learn, one for each pixel of the 8×8 digits, each trained on the pixels before it. Nothing new, and ready in a second. What matters here is its one method:

> `model.conditionals(x)` takes whole examples `(B, n)` and returns `(B, n, k)`: entry `[b, i]` is the distribution of symbol $i$ given the symbols before it.

`n` is the length of an example and `k` the number of symbols, here 64 and 2. Every model of this course can be asked in this form.
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
That is a promise. Now to redeem it.

## From a price to a file

Here is the whole idea of **arithmetic coding** (Rissanen 1976; Pasco 1976), in exact fractions, with nothing hidden. Start with the interval $[0, 1)$. Each symbol cuts the interval into parts, as large as the probabilities, and keeps the part of the symbol that came:

$$\text{low} \leftarrow \text{low} + \text{width} \cdot \sum_{s < x_i} p(s), \qquad \text{width} \leftarrow \text{width} \cdot p(x_i).$$

At the end $\text{width} = p(x)$. Somewhere in an interval of that width lies a binary fraction of at most $\lceil -\log_2 p(x) \rceil + 1$ digits, such that all its continuations stay inside. Its digits are the file. The other side goes the same way: which part does the number lie in? That was the symbol. Keep
the part, and go on.

Read it, and run it. **Predict** `low` and `width` for BAC, from the picture.
"""


# %%
def interval(frequencies, word):
    """Where `word` ends, exactly: (low, width). `frequencies` has a row of whole numbers a symbol."""
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
With the half in front the average *is* the entropy: every part has a power of two as its width, *and* begins at a multiple of it. With the half in the middle the widths are the same, but that part lies across the middle of the line, which the first digit cuts, and the average is 5.0. It is never more than two bits above the entropy, for the **whole** message, however long.

Two things keep this from being practical. The fractions grow with the message: after 19,200 pixels they have thousands of digits. And a probability must be a fraction, a whole number of parts, for the cuts to be exact. A **range coder** (Martin 1979) cures the first: as soon as the leading digits of the interval are
settled, it writes them out and forgets them. We shall take one from a library, `constriction` (Bamler 2022). The second cure is yours.

## Exercise 2: whole numbers that agree

`quantize` · difficulty ●●○ · 12 minutes · 4 points

Turn each distribution into $k$ whole numbers, its *frequencies*, such that

 - they sum to $2^{\text{bits}}$, exactly: the parts fill the interval, without a gap and without an overlap;
 - **none is 0**, not even where $p = 0$: a symbol without a part cannot be written, and what a model calls impossible happens;
 - they are as good as proportional to $p$.

The usual way: give every symbol one part first. That leaves $2^{\text{bits}} - k$ parts. Share them by $p$, rounded **down**. What the rounding leaves over goes to the most probable symbol, which feels it least.

$$f_s = 1 + \big\lfloor p_s\,(2^{\text{bits}} - k) \big\rfloor, \qquad f_{\arg\max p} \mathrel{+}= 2^{\text{bits}} - \textstyle\sum_s f_s.$$

*By hand*, 3 bits and $p = (0.7,\ 0.3,\ 0)$: $8 - 3 = 5$ parts to share, $5p = (3.5,\ 1.5,\ 0)$, rounded down $(3, 1, 0)$, with the one for everybody $(4, 2, 1)$. That is 7; the eighth goes to the first: $(5, 2, 1)$.

**Predict:** why not simply `round(p * 2**bits)`?

<details><summary>Answer</summary>

$8 \cdot (0.7, 0.3, 0) = (5.6, 2.4, 0)$ rounds to $(6, 2, 0)$: the last one is 0. And $(\frac13, \frac13, \frac13)$ rounds to $(3, 3, 3)$, which is 9. Rounded numbers need not sum to anything.
</details>

And the row's frequencies must depend on **the row alone**, in a way that both ends repeat. Single-precision probabilities sum to 1 only up to their rounding, $10^{-7}$ to $10^{-5}$, and an answer may not stumble over that: divide by the sum, in double precision, before you share.

<details><summary>Hint 1</summary>

The distributions lie along the last axis, whatever comes before it: `.sum(dim=-1, keepdim=True)` and `.argmax(dim=-1, keepdim=True)` keep a column that fits. `torch.floor(…).long()` makes integers.
</details>
<details><summary>Hint 2</summary>

`f.scatter_add(-1, best, rest)` adds `rest` to `f` at the places `best` of the last axis.
</details>
"""


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
What does rounding cost? You code with $q = f / 2^{\text{bits}}$ in the place of $p$, so it costs $\mathrm{KL}(p \,\|\, q)$ a symbol (lesson 6). **Predict** whether 8 bits will do for a pixel, and for a vocabulary of 1,000 words.
"""

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
With 8 bits 1,000 words have no place at all, so that the loss is infinite; with 20 bits nothing is lost that would matter. We take 20.

## The library's two coders

`constriction` has two kinds of coder. They take the same probabilities and reach the same length. But one is a **queue**, first in, first out, and the other is a **stack**, last in, first out:

| | class | write | read |
|---|---|---|---|
| range coder (Martin 1979) | `RangeEncoder`, `RangeDecoder` | `encoder.encode(symbols, choice, table)` | `decoder.decode(choice, table)` |
| asymmetric numeral systems, ANS (Duda 2009) | `AnsCoder` for both | `coder.encode_reverse(symbols, choice, table)` | `coder.decode(choice, table)` |

A call codes a whole column: `symbols` is an array of m symbols, `table` an array (m, k) with a row of frequencies for each. `choice` says that the rows are to be read as a choice among k. The library wants arrays of certain types, and the three names below see to that.

**Predict** what comes out of the stack if we write three columns into it, each in a call of its own, and read them in the same order.
"""

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
The stack gives the *last* column first. That is no mistake, it is what a stack is, and it has its uses: whoever fills a stack from back to front can read it from front to back. For us the queue is the simpler of the two. The decoder needs $x_1$ first, since without $x_1$ it has no $p(x_2 \mid x_1)$ to read on with.

## Exercise 3: write the file

`encode` · difficulty ●●○ · 12 minutes · 4 points

The sender knows all of `x`. So it asks the model **once**, for all conditionals at the same time, as training does. Then it codes column after column: first the first symbols of all examples, then the second ones, and so on, all into **one** stream. (Why columns? The
receiver will ask the model for a whole batch at each step. Why one stream? You will see what it costs otherwise.)

The file is `encoder.get_compressed()`, an array of 32-bit words, turned to `bytes` by `.tobytes()`. Nothing else goes in: both sides know the model, `BITS`, and how many examples there are.

*By hand:* 300 digits at 26.3 bits are 7,893 bits, 987 bytes. The range coder writes whole words of 32 bits, 4 bytes: expect 988 or 992. `len(message)` counts **bytes**; times 8, these are bits.

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

The receiver has the model and the message, and **not** `x`. It starts with an array of zeros. To read column 0 it needs $p(x_1)$, and that depends on nothing: the model tells it, zeros or not. Now it *has* column 0. To read column 1 it needs $p(x_2 \mid x_1)$: put what was read in its
place, and ask again. And so on: one pass of the model for each column.

> The sender asks once, the receiver $n$ times. That is *training against generation*, again: the same conditionals, all at once if $x$ is known, one after the other if not.

**The rule of this exercise.** Both ends must get *the same numbers*, to the last bit. So ask the model for the full shape `(count, n)` each time, as the sender did, and use column `i` of the answer; treat the answer as the sender did, in the same precision. Why that is needed is a section of its own below.

*By hand*, with BAC: the number is 0.10011, that is 19/32 = 0.594. It lies in $[\frac12, \frac34)$, the part of B. Inside that it lies at $(0.594 - 0.5) / 0.25 = 0.375$, in $[0, \frac12)$: A. Inside that at $0.375 / 0.5 = 0.75$: C. The library does this; you provide the table for each step.

**Predict:** what if a conditional of column `i` looked at column `i` or a later one?

<details><summary>Answer</summary>

Then the receiver would need what it is about to read. It asks with a zero in that place, gets another distribution than the sender had, and reads nonsense; and since each later step depends on this one, nonsense to the end.
</details>

<details><summary>Hint 1</summary>

`np.frombuffer(message, dtype=np.uint32)` are the words again, for a `RangeDecoder`. `x = torch.zeros(count, model.n, dtype=torch.int64)` is what you know at the start.
</details>
<details><summary>Hint 2</summary>

Inside the loop: conditionals of what you know so far, **column i of them**, quantized as in `encode`; then `x[:, i] = torch.from_numpy(…)` of what the decoder reads.
</details>
"""


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
Now the moment. Every one of the 300 test digits, pixel for pixel: **predict** the number of bytes. Then guess what the usual programs make of the same pixels, eight to a byte.
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
Two lessons in one table.

*Against the others.* Zlib and its kin look for repeated strings. They learn from the file itself, and 2,400 bytes are little to learn from. Your codec came with a model of digits that had seen 1,297 of them. That is the advantage, and it is not free: **the receiver must have the model**. Here
its 2,080 numbers would be larger than all 300 digits; it pays off when the model is shared once and used often.

*Against itself.* A stream for each digit costs about 38 bits where one stream costs 26: the library writes whole words of 32 bits, and a digit of 26 bits fills one, or two. The rounding is paid once for each stream. So code a set as one stream.

### Watch the interval

One digit, your own functions. Each step shows the interval of the step before, stretched to full width and cut by your frequencies; the part of the pixel that came is kept. Below: the binary digits that are settled so far, and the price so far. The digit at the left shows **where the bits go**.

 1. Go through the pixels with → (Page Down jumps eight). Which pixels cost next to nothing?
 2. Find the dearest pixel. What would you have predicted there?
 3. The digits that are settled lag behind the price, never by much. Why do they lag?
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

**Predict** what your `decode` makes of bytes that no one has ever encoded, straight from a random number generator.
"""


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
Digits. It must be so: a good code leaves nothing to be predicted in its files, they look like coin flips; so coin flips look like a file, and a file of this format is a file of digits. A digit of 26 bits is hit with a probability of $2^{-26}$, which is $p(x)$. The decoder *is* ancestral sampling, with the message for a random number generator.

(Very seldom the library refuses random bytes: a range coder leaves a tiny share of all messages unused, and says so with an `AssertionError`.)

## Exercise 5: the best causality test of all

`round_trip` · difficulty ●○○ · 8 minutes · 2 points

Suppose that a conditional sees what it should not. Its log-likelihood gets wonderful, and nothing in training complains. The codec does: it writes a wonderfully short file, and *cannot read it*. No tolerance, no gradients, no cleverness: either all symbols come back, or the model is no distribution that
one could sample from.

Write the test: `True` if `x` comes back exactly, `False` if not. A decoder that has lost its way may meet a message that makes no sense under the model; then the library raises an `AssertionError`, and the answer is `False` too. (A real mistake in the code, a `TypeError` say, should *not* be swallowed.)

**Predict:** is there an `x` that comes back although the model peeks?

<details><summary>Answer</summary>

All zeros. The decoder asks with zeros in the places that it does not know, and if they *are* zeros, it has the sender's numbers by luck. So test on examples that vary.
</details>

<details><summary>Hint 1</summary>

Encode, decode (how many examples?), compare. `torch.equal` is true where shapes and all values agree.
</details>
<details><summary>Hint 2</summary>

`try:` the decoding; `except AssertionError:` return `False`.
</details>
"""


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
Three sets of 64 regressions, trained on the same digits. The first sees the pixels before. The second sees all pixels but its own, "what fits in here?", like a masked language model that fills gaps. The third sees all of them. **Predict** the size of each file, and which of them come back.
"""

# %% tags=["demo"]
everything = range(64)
peeking = {
    "sees the pixels before": model,
    "sees all but its own": PixelRegressions(
        digits.train.numpy(), lambda i: (j for j in everything if j != i)
    ),
    "sees its own pixel, too": PixelRegressions(digits.train.numpy(), lambda i: everything),
}
with solved("ideal_bits", "quantize", "encode", "decode", "round_trip"):
    for name, one in peeking.items():
        price, size = ideal_bits(log_probs_of(one, test)), 8 * len(encode(one, test))
        came = "comes back" if round_trip(one, test) else "does NOT come back"
        print(f"{name:>24}: price {price:6,.0f} bits, file {size:6,} bits, {came}")
    leaky = peeking["sees its own pixel, too"]
    rows = [("sent", test[:12]), ("received", torch.zeros(12, 64))]
    try:
        rows[1] = ("received", decode(leaky, encode(leaky, test[:12]), 12))
    except AssertionError:
        print("(the decoder gave up: nothing to show for it)")
    draw_rows(
        rows,
        "Two rows of twelve 8 by 8 images. Sent: digits. Received: nearly white images in which no digit can be read.",
    )

# %% [markdown]
r"""
### Is that so?

> "The lower the loss, the better the model."

The third model has by far the lowest loss of the three, and its file is worth nothing. A loss compares models only if all of them *are* distributions. The round trip unmasks those that are none, as far as the files go that it was asked of: the tables of both ends were equal *for these*. A model that peeks at a pixel which is white in all of them comes back, and is none.

> "A good model compresses everything."

Not even nearly. There are $2^{64}$ images, and fewer than $2^{64}$ files that are shorter than 64 bits, so no codec shortens them all. And where files may follow each other without a mark between them (a *prefix code*), their lengths obey Kraft's inequality, $\sum 2^{-\text{length}} \le 1$: 64 bits for each of the $2^{64}$ images use up the whole sum, so whoever shortens one lengthens another. **Predict** the price of a digit of white noise, which is 64 bits as it is.
"""

# %% tags=["demo"]
with solved("ideal_bits", "quantize", "encode", "decode", "round_trip"):
    random = torch.Generator().manual_seed(1)
    shuffled = test[:, torch.randperm(64, generator=random)]
    noise = torch.randint(0, 2, (300, 64), generator=random)
    for name, x in (("digits", test), ("digits, pixels shuffled", shuffled), ("noise", noise)):
        price = ideal_bits(log_probs_of(model, x)) / len(x)
        print(f"{name:>24}: {price:6.1f} bits an image; comes back: {round_trip(model, x)}")

# %% [markdown]
r"""
Noise costs far more than 64 bits: the model is *sure* that it is no noise. But it does come back: a codec must be right for everything, and may be expensive for what it does not expect.

### Learning is compressing

How much of this does the model owe to its data? The same regressions, trained on fewer digits. **Predict** where the curve crosses zlib's line.
"""

# %% tags=["demo"]
with solved("ideal_bits", "quantize", "encode"):
    counts = [10, 25, 60, 150, 400, 1297]
    bits = []
    for seen in counts:
        learned = PixelRegressions(digits.train[:seen].numpy(), lambda i: range(i))
        bits.append(8 * len(encode(learned, test)) / len(test))
    by_zlib = 8 * len(zlib.compress(np.packbits(test.numpy().astype(bool)).tobytes(), 9)) / 300
    fig, ax = plt.subplots(figsize=(6, 3.2), constrained_layout=True)
    ax.semilogx(counts, bits, marker="o", color="#0072B2", label="your codec")
    ax.axhline(by_zlib, color="#D55E00", ls="--", label="zlib")
    ax.set(xlabel="training digits", ylabel="bits a test digit", ylim=(0, None))
    ax.set_xticks(counts, [f"{c:,}" for c in counts])
    ax.minorticks_off()
    ax.legend()
    said = ", ".join(f"{c:,}: {b:.1f}" for c, b in zip(counts, bits, strict=True))
    print(f"bits a digit by number of training digits: {said}; zlib {by_zlib:.1f}")
    show(
        fig,
        f"Bits a test digit fall as the number of training digits grows ({said}); zlib's line is at {by_zlib:.1f}.",
    )

# %% [markdown]
r"""
Each digit that the model has seen makes later files shorter. A number to beat: **7,893 bits** for the 300 test digits. Put a NADE, a MADE or a PixelCNN behind `conditionals`, and beat it: all have the same method, and your codec does not care.

## The same numbers at both ends

Your decoder works because it gets the sender's numbers *to the last bit*. Four ways to lose them, all of them met in the wild:

| what differs | why the numbers do |
|---|---|
| float32 here, float64 there | rounding to $2^{-24}$ and to $2^{-53}$ |
| batch of 300 here, of 1 there | another kernel for another shape: sums in another order |
| CPU here, GPU there; another processor | other instructions, fused multiply-adds, other sums |
| another version of a library | another kernel, another $\exp$ |

A sum of floats depends on its order: $(a + b) + c \ne a + (b + c)$ in the last bit. Let us see it: the same model, the same digits, first all 300 in one call, then one by one; and the same in double precision. **Predict** how far apart the probabilities are, and whether frequencies of 20 bits still agree.
"""

# %% tags=["demo"]
with solved("quantize"):
    wide = torch.nn.Sequential(torch.nn.Linear(64, 512), torch.nn.Tanh(), torch.nn.Linear(512, 128))
    for parameter in wide.parameters():  # any network will do, if it is wide enough
        torch.nn.init.normal_(
            parameter, std=0.1, generator=torch.Generator().manual_seed(parameter.numel())
        )
    with torch.no_grad():
        together = wide(test.float()).reshape(300, 64, 2).softmax(-1)
        apart = torch.cat([wide(x[None].float()) for x in test]).reshape(300, 64, 2).softmax(-1)
        again = wide(test.float()).reshape(300, 64, 2).softmax(-1)
        double = wide.double()(test.double()).reshape(300, 64, 2).softmax(-1)
    one = quantize(together)
    for name, other in (("asked again", again), ("one by one", apart), ("float64", double)):
        far = (together.double() - other.double()).abs().max()
        differ = (quantize(other) != one).any(-1).sum()
        print(f"{name:>12}: p differs by up to {far:.1e}; {differ:,} of 19,200 tables differ")

# %% [markdown]
r"""
The same call in the same shape repeats itself, and that is what your codec relies on. Everything else differs in the last bits. **Rounding to whole numbers does not save you**: it hides a difference of $10^{-7}$ as long as no value lies beside a step of the staircase; among 19,200 values some always do. One
table that differs shifts the parts by one in a million. Does it matter? **Predict**, then break your codec on purpose.
"""


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
One part in a million, and the rest of the file is lost: the reader's interval is shifted a little, the shift *doubles* with every bit that is read, and after some twenty bits it is as wide as the interval itself.

That is why neural codecs are rare in the wild, and why it is hard across machines. What helps: compute the conditionals in **integers**, whose sums have no order (Ballé, Johnston and Minnen 2019); or ship the code path with the file: the same library, the same device, the same shapes; or send a checksum, and
fall back. On *one* machine with *one* code path, as here, the rule of exercise 4 is enough.

## A page of text

The small language model that comes with this course predicts *tokens*, pieces of words. As a codec's model it needs no more than a method. We cut a page that it has never seen into rows of 96 tokens, which are then read side by side; each row begins with an empty memory, as the price of that.
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
**Predict:** zlib needs about half of the bytes for English of that length. And the model?
"""

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
(For honesty: the model's weights are thousands of times larger than the page. It is a fair comparison only if the receiver has them anyway; for a contest on one file, the size of the decoder counts.)

Where do the bits go? Each token is colored by its price. Look for the first letters of names, the first word of a sentence, the second half of a long word; and compare the beginning of a row, where nothing is known, with its end.
"""

# %% tags=["demo"]
with solved("encode", "quantize"):
    labels = [language_model.decode([int(token)]) for token in page[0]]
    title = "the first row of the page"
    display(CodecExplorer.of(encode, None, quantize, page_model, page[:1], labels, title))

# %% [markdown]
r"""
<details><summary>What to see</summary>

The end of a word costs next to nothing once its beginning is there: `-ing`, `-ough`, the letter after a q. The dear tokens are content: names, nouns, turns of a sentence. This is *surprise*, drawn: the same picture tells linguists where readers' eyes stop.
</details>

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
1. Each of their outputs sees pixels that come later (or the pixel itself): the numbers are conditionals given the *rest*, whose product is no joint distribution, and it does not sum to 1. The sender could write a short file, but the receiver would need the later pixels to compute the table for the earlier ones: it cannot begin. Experiment: encode and decode
   one batch of digits with their model; it does not come back.
2. The tables differ in the last bits, from column 9 on or before: another precision (compute both in the same dtype), another batch shape (ask in the same shape at both ends), another device or library version (ship the code path, or integer arithmetic; a checksum to notice it). Also possible: the two
   use different quantization, or a stack and a queue.
3. Counting: there are $2^n$ texts of $n$ bits, and only $2^n - 1$ files shorter than $n$ bits, so no rule that can be undone shortens all of them. A codec shortens what its model expects and lengthens the rest; English is a tiny part of all texts.

Rubric: 1 point for the first (½ "the product is no distribution / the receiver would need the future", ½ "decode and compare"). ½ point for two causes with a cure each. ½ point for the counting argument.
### END SOLUTION
"""

# %% [markdown]
r"""
## Closing: what the course was about

Twelve lessons, one identity: $p(x) = \prod_i p(x_i \mid x_{<i})$. It is exact, and it is no model (lesson 2). A **table** for it has exponentially many numbers (1). So every lesson after that answered one question: *what computes the conditionals?* Logistic regressions (3); a hidden layer that is shared, one step at a time
(4); the same in one pass, by masks (5). Then the two things that all of them have in common: the objective, which is a KL divergence and says which way a wrong model errs (6), and the order, which the identity ignores and a model does not (7). Then the same idea for images, whose masks are convolutions (8), for sound,
whose reach grows with dilation (9), and for text, where attention looks back (10). Then how to choose from the conditionals, and what is lost when one bends them (11). And here the conditionals became a file: what training lowers, generation spends, and compression saves is *one number*, $-\log p(x)$.

You also carry away a habit. In each lesson something looked right and was wrong: an output that saw its own input, a mask in the wrong place, a unit mistaken. None of it was found by looking at a loss. It was found by asking for what must be *true*: probabilities that sum to 1, an output that is blind to the future, a file that comes back.

### Training against generation

| | training (and encoding) | generation (and decoding) |
|---|---|---|
| what is known | all of $x$ | the prefix that has been generated |
| passes of the network | one, all positions in parallel | $n$, one after the other |
| attention of a transformer | $O(n^2)$, in one pass | $O(n^2)$ in all with a cache, one new position a step; $O(n^3)$ if each step starts anew |
| bound by | arithmetic | memory: all weights are read for each symbol |
| what the network sees | true prefixes | its own (*exposure bias*) |
| what comes out | $-\log p(x)$ of the data | a sample, $-\log p(x)$ bits of randomness spent |
| a leak shows as | a wonderful loss | nonsense |

### Five families of generative models

| | what is learned | likelihood | cost of a sample | strong at | weak at |
|---|---|---|---|---|---|
| **autoregressive** (this course) | conditionals, in an order | exact | $n$ steps, one after the other | likelihood, text, any discrete data, compression | slow samples; needs an order; no latent code |
| **normalizing flow** (Dinh et al. 2015; Rezende and Mohamed 2015) | an invertible map to noise | exact | one pass if the inverse is cheap (coupling layers); $n$ if it is autoregressive | exact likelihood *and* a latent code | maps must be invertible, dimension kept |
| **VAE** (Kingma and Welling 2014; Rezende et al. 2014) | a decoder from a latent code, and an encoder | lower bound (ELBO) | one pass | a small latent code, speed | blurred samples where the decoder is simple |
| **GAN** (Goodfellow et al. 2014) | a generator, by a contest with a critic | none | one pass | sharp images, speed | no likelihood, unstable training, modes left out |
| **diffusion** (Sohl-Dickstein et al. 2015; Ho et al. 2020) | to undo noise, step by step | bound; exact in principle through an ODE (Song et al. 2021) | tens to hundreds of passes, each over the whole image | quality, coverage, editing | slow samples; likelihood takes extra work |

Which way do they err? Maximum likelihood lowers $\mathrm{KL}(p \,\|\, q)$ and covers; the original GAN's game is about the Jensen–Shannon divergence (lesson 6 has the table).

### Is that so?

> "Flows: exact likelihood, fast sampling."

*Some.* A flow with coupling layers does both in one pass (Dinh et al. 2017). An autoregressive flow has exactly our trade: parallel in one direction, $n$ steps in the other. Masked autoregressive flow (Papamakarios et al. 2017) is MADE with Gaussian conditionals: fast likelihood, slow samples; inverse autoregressive flow (Kingma et al. 2016) is the reverse.

> "A VAE has only a bound, so its likelihood is of no use."

A bound can be *paid*: with a stack coder, "bits back" (Townsend, Bird and Barber 2019) stores data in as many bits as the bound says, up to a constant. That is what the stack is for: the receiver gets back the bits that chose the latent code, last in, first out.

> "Autoregressive models can be conditioned on any subset of the variables."

On a *prefix*, yes. Anything else needs a sum over what is missing: lesson 2 has the experiment.

### Larger: scaling laws, and learning in context

The loss of language models falls like a power of model size, data and computation, over many orders of magnitude (Kaplan et al. 2020). It is the *loss* that does so, in nats, and toward a floor: the entropy of text, which no model can go below. Hoffmann et al. (2022) measured it anew, and found that model and data should grow together;
many large models had been too large for their data. In the language of this lesson: a power law says how much shorter the file gets, and at what price.

A model that was trained on next tokens alone can also learn *from its prompt*: given examples of a task, it continues with the answer to a new one, without a change of its weights (Brown et al. 2020). In the language of this lesson it is what a good codec does: the more of the file it has read, the better it
predicts the rest. Below stands the modest beginning of it: the price of a token by its place in the row. The rows overlap, so that nearly the same tokens stand in all places, with more or less of the page before them. **Predict** where most is gained.
"""

# %% tags=["demo"]
tokens = torch.tensor(language_model.encode(pretrained.held_out()))
many = tokens.unfold(0, page_model.n, 16)  # rows that begin every 16 tokens: (B, n)
price = -log_probs_of(page_model, many).mean(0) / math.log(2)  # (n,)
parts = [float(part.mean()) for part in price.tensor_split(6)]
print("bits a token, by sixths of a row:", ", ".join(f"{p:.2f}" for p in parts))

# %% [markdown]
r"""
Most is gained by the first few words. How much comes after that depends on the model: what it remembers, and what it has learned to look back for.

### Faster: speculative decoding, in one paragraph

Generation is slow since each step reads all weights for one symbol. *Speculative decoding* (Leviathan, Kalman and Matias 2023; Chen et al. 2023) lets a small draft model $q$ run ahead for a few symbols, and then asks the large model $p$ about all of them in **one** parallel pass, as training does. A drafted symbol $s$ is
accepted with probability $\min(1, p_s/q_s)$; at the first refusal one draws from what $p$ has in excess, $\max(p - q, 0)$, normalized, and drops the rest. The result is distributed *exactly* as $p$: nothing is approximated, only time is saved. **Predict** the share that is accepted, for the two distributions below.
"""

# %% tags=["demo"]
p = np.array([0.50, 0.20, 0.15, 0.10, 0.05])  # the large model
q = np.array([0.40, 0.30, 0.10, 0.15, 0.05])  # the draft
accepted = q * np.minimum(1, p / q)  # = min(p, q)
excess = np.maximum(p - q, 0)
result = accepted + (1 - accepted.sum()) * excess / excess.sum()
alpha = accepted.sum()
print("what comes out:", result.round(12), "= p:", bool(np.allclose(result, p, atol=1e-15)))
print(f"accepted: {alpha:.2f} = 1 − total variation {np.abs(p - q).sum() / 2:.2f}")
for ahead in (1, 2, 4, 8):
    symbols = (1 - alpha ** (ahead + 1)) / (1 - alpha)
    print(f"{ahead} drafted: {symbols:.2f} symbols for each pass of the large model")

# %% [markdown]
r"""
(The last lines assume that each symbol is accepted with the same probability, independently; Leviathan et al. 2023, equation 1.)

## What you should remember

A distribution is a code and a code is a distribution: what has probability $p$ costs $-\log_2 p$ bits, and an arithmetic coder pays that price up to a few bits for a whole file. The encoder asks the model once, the decoder once for each symbol, and both must get the same numbers to the last bit; so they share precision,
shape and code path. A model that peeks promises a tiny file that nobody can read: the round trip is a test of causality, as strict as the files it is asked of. And to decode random bits is to sample.

## Go further

 - C. E. Shannon (1948). *A Mathematical Theory of Communication.* Bell System Technical Journal 27. Entropy, and language models by hand.
 - J. Rissanen (1976). *Generalized Kraft Inequality and Arithmetic Coding.* IBM Journal of Research and Development 20. · R. Pasco (1976). *Source Coding Algorithms for Fast Data Compression.* PhD thesis, Stanford. · G. N. N. Martin (1979). *Range encoding.* Video and Data Recording Conference.
 - I. H. Witten, R. M. Neal, J. G. Cleary (1987). *Arithmetic Coding for Data Compression.* Communications of the ACM 30. Model and coder apart, as here, with the code.
 - J. Duda (2009). *Asymmetric numeral systems.* arXiv:0902.0271. · R. Bamler (2022). *Understanding Entropy Coding With Asymmetric Numeral Systems (ANS): a Statistician's Perspective.* arXiv:2201.01741. The stack, by the author of `constriction`.
 - D. J. C. MacKay (2003). *Information Theory, Inference, and Learning Algorithms.* Cambridge University Press. Chapters 4–6.
 - J. Townsend, T. Bird, D. Barber (2019). *Practical Lossless Compression with Latent Variables using Bits Back Coding.* ICLR. · J. Ballé, N. Johnston, D. Minnen (2019). *Integer Networks for Data Compression with Latent-Variable Models.* ICLR.
 - G. Delétang et al. (2024). *Language Modeling Is Compression.* ICLR. Large language models as codecs of text, images and sound.
 - J. Kaplan et al. (2020). *Scaling Laws for Neural Language Models.* arXiv:2001.08361. · J. Hoffmann et al. (2022). *Training Compute-Optimal Large Language Models.* NeurIPS. · T. Brown et al. (2020). *Language Models are Few-Shot Learners.* NeurIPS.
 - Y. Leviathan, M. Kalman, Y. Matias (2023). *Fast Inference from Transformers via Speculative Decoding.* ICML. · C. Chen et al. (2023). *Accelerating Large Language Model Decoding with Speculative Sampling.* arXiv:2302.01318.
 - Flows: L. Dinh, D. Krueger, Y. Bengio (2015), *NICE*, ICLR workshop; L. Dinh, J. Sohl-Dickstein, S. Bengio (2017), *Density estimation using Real NVP*, ICLR; D. Rezende, S. Mohamed (2015), *Variational Inference with Normalizing Flows*, ICML; G. Papamakarios, T. Pavlakou, I. Murray (2017), *Masked Autoregressive Flow for Density Estimation*, NIPS; D. P. Kingma et al. (2016), *Improved Variational Inference with Inverse Autoregressive Flow*, NIPS.
 - VAEs: D. P. Kingma, M. Welling (2014), *Auto-Encoding Variational Bayes*, ICLR; D. J. Rezende, S. Mohamed, D. Wierstra (2014), *Stochastic Backpropagation and Approximate Inference in Deep Generative Models*, ICML. GANs: I. Goodfellow et al. (2014), *Generative Adversarial Nets*, NIPS. Diffusion: J. Sohl-Dickstein et al. (2015), *Deep Unsupervised Learning using Nonequilibrium Thermodynamics*, ICML; J. Ho, A. Jain, P. Abbeel (2020), *Denoising Diffusion Probabilistic Models*, NeurIPS; Y. Song et al. (2021), *Score-Based Generative Modeling through Stochastic Differential Equations*, ICLR.

**Try:** replace the queue by the stack (two classes, and one order). Then code digits at 16 gray levels. Then make the model learn *while* it codes: start from nothing, retrain on what has been read after every 50 digits, at both ends alike. Now no model has to be sent at all. How long is the file?

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>What does an outcome of probability p cost, and how is that paid to a fraction of a bit?</summary>

$-\log_2 p$ bits. The interval of the whole message has the width $p(x)$; fractions are added up in it, and rounded once, at the end.
</details>
<details><summary>Why must no frequency be 0, and why must they sum to a power of two exactly?</summary>

A symbol with no part cannot be written. A gap would be wasted, an overlap could not be told apart; the power of two makes the cuts exact.
</details>
<details><summary>How often does the sender ask the model, and how often the receiver? Why?</summary>

Once, since it knows all of x. n times, since each table needs the symbols before it.
</details>
<details><summary>Queue or stack: what changes?</summary>

A stack gives back last what was written first: it must be filled from back to front.
</details>
<details><summary>A model compresses 300 digits to four bytes. What do you do?</summary>

Decode them. If they do not come back, an output sees what it predicts.
</details>
<details><summary>The same weights on two machines: why may the file not come back?</summary>

Floating-point sums depend on their order, and the order on shape, precision, device and library. One table that differs in the last part ruins the rest.
</details>
<details><summary>What does the decoder make of random bits?</summary>

A sample of the model.
</details>
"""
