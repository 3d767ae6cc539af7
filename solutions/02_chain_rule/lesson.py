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
#     name: 02_chain_rule
#     title: "The chain rule: one identity, no approximation"
#     question: "How can one draw a word letter by letter, know its exact probability, and still be stuck at a simple question about it?"
#     minutes: 100
#     prerequisites: [01_exponential_wall]
# ---

# %%
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from course import data
from course.demo import solved
from course.picture import show
from course.progress import tqdm
from figures import static
from figures.chain import ChainExplorer
from figures.evidence import EvidenceExplorer, weighted_words
from figures.predict import predict

# %% [markdown]
r"""
## A machine that writes

A small machine writes words of three letters over the alphabet A, B, C. It writes from left to right and never erases. Its habits:

 - It begins with B four times in ten.
 - After B, it writes A five times in ten.
 - After B and A, it writes C six times in ten.

How likely is the word B-A-C? And a second question, just for your intuition: you see that a word *ends* in C. Which letter did it begin with?

The first question takes one line. The second one looks just as innocent, and will keep us busy at the end of this lesson.
"""

# %% tags=["demo"]
predict(
    "How likely is the word B-A-C?",
    ["0.6, its last habit", "0.5, their mean", "0.12, their product"],
    answer=lambda: [0.6, 0.5, 0.12].index(round(0.4 * 0.5 * 0.6, 2)),
    why="Of a hundred words 40 begin with B, half of these go on with A, and six in ten of those end in C.",
)

# %% tags=["demo"]
static.show("unrolled-chain")

# %% [markdown]
r"""
The picture has it as well: $0.4 \cdot 0.5 \cdot 0.6 = 0.12$.

Behind it stands one identity. For **every** distribution over $x = (x_1, \dots, x_n)$, whatever it is,

$$p(x) = \prod_{i=1}^{n} p(x_i \mid x_{<i}), \qquad x_{<i} = (x_1, \dots, x_{i-1}).$$

$x_{<i}$ is the **prefix** of $x_i$: all that came before. For $i = 1$ it is empty, and $p(x_1 \mid x_{<1})$ is just $p(x_1)$.

The proof fits in one line. Write each conditional as what it is by definition, a quotient, and look what happens:

$$\frac{p(x_1)}{1} \cdot \frac{p(x_1, x_2)}{p(x_1)} \cdot \frac{p(x_1, x_2, x_3)}{p(x_1, x_2)} \cdots \frac{p(x_1, \dots, x_n)}{p(x_1, \dots, x_{n-1})} = p(x_1, \dots, x_n).$$

Everything cancels but the last numerator. Nothing was approximated, and one thing was assumed: that no denominator is 0. Where a prefix has probability 0, so has every word that begins with it; both sides are 0 then, whatever row we write for a prefix that never comes. A model that says $p(x_i \mid x_{<i})$ for each $i$ is called **autoregressive**, and
all models of this course are of that kind.

Here are all habits of our machine. The third table has one row for each pair of letters before it.
"""

# %% tags=["demo"]
A, B, C = 0, 1, 2
machine = [
    np.array([0.3, 0.4, 0.3]),  # p(x1)
    np.array([[0.2, 0.5, 0.3], [0.5, 0.2, 0.3], [0.4, 0.4, 0.2]]),  # p(x2 | x1), a row for each x1
    np.array(  # p(x3 | x1, x2)
        [
            [[0.1, 0.6, 0.3], [0.3, 0.1, 0.6], [0.5, 0.4, 0.1]],  # after AA, AB, AC
            [[0.1, 0.3, 0.6], [0.5, 0.1, 0.4], [0.6, 0.3, 0.1]],  # after BA, BB, BC
            [[0.2, 0.5, 0.3], [0.6, 0.2, 0.2], [0.5, 0.5, 0.0]],  # after CA, CB, CC
        ]
    ),
]
table = np.einsum("a,ab,abc->abc", *machine)  # the probability of each of the 27 words
print(f"p(B, A, C) = {table[B, A, C]:.2f}, all 27 words together {table.sum():.2f}")

# %% [markdown]
r"""
**Play with it** before you program it. Click a bar to choose a letter, drag a card by its title into another place, draw a word.

 1. Find a word that this machine never writes.
 2. Draw a word value by value. What appears on a card only when the cards before it are decided?
 3. Drag $x_3$ to the front. Which numbers change, and which one does not?
"""

# %% tags=["demo"]
ChainExplorer(table, values="ABC", x=[B, A, C])

# %% [markdown]
r"""
<details><summary>Answers</summary>

1. C-C-C: after C, C the letter C has probability 0.
2. Its row. The row of $x_3$ *depends* on the letters before it: there is one row for each prefix.
3. All the factors change, and so do their logs. The product does not. Keep this for exercise 5.
</details>
"""

# %% [markdown]
r"""
## Exercise 1: from the table to the factors

`conditionals` · difficulty ●●○ · 12 minutes · 4 points

Let all $k^n$ probabilities be given, as an array `joint` with one axis for each variable. We want the factors back. Two steps for each $i$:

$$p(x_1, \dots, x_i) = \sum_{x_{i+1}, \dots, x_n} p(x_1, \dots, x_n), \qquad\qquad p(x_i \mid x_{<i}) = \frac{p(x_1, \dots, x_i)}{p(x_1, \dots, x_{i-1})}.$$

*By hand.* Rain and umbrellas, 100 days:

| | no umbrella | umbrella | together |
|---|---|---|---|
| dry | 54 | 6 | 60 |
| rain | 8 | 32 | 40 |

Sum the umbrellas out: $p(\text{dry}) = 0.6$, $p(\text{rain}) = 0.4$. That is the first factor. For the second, divide **each row by its own sum**: after dry $(0.9,\ 0.1)$, after rain $(0.2,\ 0.8)$.

So factor $i$ is an array with $i$ axes, one for each of $x_1 \dots x_i$. Its **last** axis is $x_i$, and along it every row sums to 1.

Where a prefix never occurs, its row is $0/0$. There we choose the **uniform** row, $1/k$ each: it is a distribution, and it does not pretend to know anything.

<details><summary>Hint 1</summary>

`joint.sum(axis=(2, 3))` sums two axes out at once; with `axis=()` nothing is summed. Which axes come *after* axis $i$?
</details>
<details><summary>Hint 2</summary>

The denominator is the sum of the numerator along one of its axes. `keepdims=True` keeps that axis, so that the division lines up. `np.divide(a, b, out=..., where=...)` divides only where you
allow it, and leaves in `out` what was there before.
</details>
"""

# %% tags=["demo"]
predict(
    "Say it never rains, so the row after rain is 0/0. What does the identity say of this row?",
    ["it must be (½, ½)", "any row will do", "there is none: the joint has no factors"],
    answer=1,
    why="The product multiplies it by p(rain) = 0. But not by NaN, which is what NumPy makes of 0/0: 0 · NaN is NaN, and would spoil the product.",
)


# %% exercise="conditionals"
def conditionals(joint):
    """The factors of a joint distribution.

    joint: array of shape (k, …, k), n axes, sums to 1. Returns a list of n arrays: number i (from 0) has
    i + 1 axes and holds p(x_i | x_<i), with x_i on the last one. A prefix of probability 0 has a uniform row.
    """
    ### BEGIN SOLUTION
    n, tables = joint.ndim, []
    for i in range(n):
        upto = joint.sum(axis=tuple(range(i + 1, n)))  # p(x_1 … x_i), one axis more each time
        prefix = upto.sum(axis=-1, keepdims=True)
        row = np.full(upto.shape, 1 / joint.shape[i])
        tables.append(np.divide(upto, prefix, out=row, where=prefix > 0))
    return tables
    ### END SOLUTION


# %% check="conditionals" points=4
check(conditionals)

# %% [markdown]
r"""
Your factors of the rain, and of the machine's 27 numbers. Compare them with the table above, and with the habits that we started from.
"""

# %% tags=["demo"]
with solved("conditionals"):
    weather = np.array([[0.54, 0.06], [0.08, 0.32]])  # [dry, rain] × [no umbrella, umbrella]
    first, second = conditionals(weather)
    print(f"p(rain) = {first[1]:.2f}")
    print(f"p(umbrella | dry) = {second[0, 1]:.2f}, p(umbrella | rain) = {second[1, 1]:.2f}")
    for i, (yours, habits) in enumerate(zip(conditionals(table), machine, strict=True), 1):
        print(f"factor {i} of the machine: off by {np.abs(yours - habits).max():.0e} at most")

# %% [markdown]
r"""
### Is that so?

> "Storing a joint takes exponentially many numbers. The solution is the chain rule."

You will read this. How many *free* numbers do the factors of $n$ variables hold, against the $k^n - 1$ of the table? A row of $k$ probabilities has $k - 1$ free ones, and factor $i$ has $k^{i-1}$ rows.
"""

# %% tags=["demo"]
predict(
    "The table of 20 bits has 1,048,575 free numbers. And its 20 factors together?",
    ["210", "20,000, about", "1,048,575"],
    answer=lambda: [210, 20_000, 2**20 - 1].index(sum(2 ** (i - 1) for i in range(1, 21))),
    why="The row of each of the 2^(i − 1) prefixes has one free number, and 1 + 2 + 4 + … + 2^19 = 2^20 − 1.",
)

# %% tags=["demo"]
for k, n in ((3, 3), (2, 20), (27, 4)):
    rows = [k ** (i - 1) for i in range(1, n + 1)]
    print(f"k = {k:2}, n = {n:2}: factors {sum(rows) * (k - 1):,} free numbers, table {k**n - 1:,}")

# %% [markdown]
r"""
The very same number. The chain rule **alone saves nothing**: it only cuts the table into pieces. What it gives is a place to save: each piece is a *function of a prefix*, and a function need not be stored as
a table. A logistic regression (lesson 3), a network with shared weights (4 and 5), a recurrent network (11), a transformer (12) can all play that part.
"""

# %% [markdown]
r"""
## Exercise 2: from the factors back to the table

`joint` · difficulty ●○○ · 6 minutes · 2 points

Now the other direction, the identity itself: multiply.

*By hand*, with the rain: $p(\text{rain}) \cdot p(\text{umbrella} \mid \text{rain}) = 0.4 \cdot 0.8 = 0.32$, the number in the table that we started from. All four at once:

$$\begin{pmatrix} 0.6 \\ 0.4 \end{pmatrix} \text{times, row by row,} \begin{pmatrix} 0.9 & 0.1 \\ 0.2 & 0.8 \end{pmatrix} = \begin{pmatrix} 0.54 & 0.06 \\ 0.08 & 0.32 \end{pmatrix}$$

<details><summary>Hint 1</summary>

The product so far has $i$ axes, the next factor has one more, at the end. `a[..., None]` gives `a` a new last axis.
</details>
<details><summary>Hint 2</summary>

Before the first factor there is the empty prefix. What is the product of no factors?
</details>
"""

# %% tags=["demo"]
predict(
    "`first` has shape (2,), `second` has shape (2, 2). Does first * second do what is written above?",
    ["yes", "no: it gives other numbers", "no: NumPy raises an error"],
    answer=lambda: int(
        not np.allclose(
            np.array([0.6, 0.4]) * np.array([[0.9, 0.1], [0.2, 0.8]]), [[0.54, 0.06], [0.08, 0.32]]
        )
    ),
    why="Broadcasting lines shapes up at their last axes: the 0.6 and 0.4 go along the umbrellas, not along the rain. No error, but 0.6 · 0.2 = 0.12 in place of 0.08.",
)


# %% exercise="joint"
def joint(conditionals):
    """The joint distribution of which `conditionals` are the factors.

    conditionals: a list of n arrays as above. Returns an array of shape (k, …, k) with n axes.
    """
    ### BEGIN SOLUTION
    product = np.ones(())
    for factor in conditionals:
        product = product[..., None] * factor
    return product
    ### END SOLUTION


# %% check="joint" points=2
check(joint)

# %% tags=["demo"]
with solved("conditionals", "joint"):
    rng = np.random.default_rng(0)
    for k, n in ((2, 2), (3, 5), (2, 12)):
        p = rng.dirichlet(np.ones(k**n)).reshape((k,) * n)  # any joint at all
        back = joint(conditionals(p))
        print(f"k = {k}, n = {n:2}: there and back, off by {np.abs(back - p).max():.0e} at most")

# %% [markdown]
r"""
Any joint at all, and what is left is the rounding of float64. That is what *exact* means here: **no approximation enters before somebody replaces a table by a model**.

## Exercise 3: how likely is this word?

`log_likelihood` · difficulty ●●○ · 10 minutes · 3 points

To score a word, look one number up on each card and multiply. Or add their logs:

$$\log p(x) = \sum_{i=1}^{n} \log p(x_i \mid x_{<i}).$$

*By hand*, for B-A-C: $\log 0.4 + \log 0.5 + \log 0.6 = -0.916 - 0.693 - 0.511 = -2.120$, which is $\log 0.12$. The **negative log-likelihood** (NLL) of the word is 2.120 **nats**, the unit that belongs to the natural log. Small is
good: a word of probability 1 costs 0 nats.

Why logs, when the product is right?
"""

# %% tags=["demo"]
predict(
    "Multiply 0.5 by itself in float64. From about how many factors on is the product 0.0?",
    ["100", "1,000", "10,000", "never: it only gets small"],
    answer=lambda: next(i for i, n in enumerate((100, 1075, 10_000)) if 0.5**n == 0),
    why="The smallest float64 above 0 is 2^(−1074).",
)

# %% tags=["demo"]
print("2,000 fair bits:", 0.5**2000)
print("the log of that:", 2000 * math.log(0.5))
for kind in (np.float64, np.float32):
    bits, product = 0, kind(1)
    while product > 0:
        bits, product = bits + 1, product * kind(0.5)
    print(f"{kind.__name__} says 0.0 from {bits:,} bits on")

# %% [markdown]
r"""
### Is that so?

> "Plug the example into each factor and multiply: the product is its probability."

On paper, yes. In a computer the product of 2,000 fair bits is 0.0, and so is that of any two texts of some length: nobody could say any more which of them is likelier. The sum of logs is $-1386.294$, and it has digits to spare.

So: **first the logs, then the sum.** A factor of 0 is no accident, though. Its log is $-\infty$, the right score for an impossible word, and it must not become NaN.

Your function scores a whole batch `x` of shape `(B, n)`, one word a row, letters as integers. The lookup is one line of *advanced indexing*: if `a`, `b`, `c` are arrays of $B$ integers, then `factor[a, b, c]` is the array of the $B$
entries `factor[a[0], b[0], c[0]]`, `factor[a[1], b[1], c[1]]`, and so on.

<details><summary>Hint 1</summary>

`tuple(x[:, : i + 1].T)` is a tuple of $i + 1$ arrays with $B$ integers each: the prefix and the letter itself.
</details>
<details><summary>Hint 2</summary>

`with np.errstate(divide="ignore"):` lets `np.log(0)` be $-\infty$ in silence. Look the factor up *first*, take the log *then*: logs of whole tables meet zeros that your word never touches.
</details>
"""


# %% exercise="log_likelihood"
def log_likelihood(conditionals, x):
    """log p(x) in nats for each word of a batch: shape (B,); −inf for an impossible word.

    conditionals: a list of n factors. x: integers (B, n), each 0 … k−1.
    """
    ### BEGIN SOLUTION
    total = np.zeros(len(x))
    for i, factor in enumerate(conditionals):
        with np.errstate(divide="ignore"):
            total += np.log(factor[tuple(x[:, : i + 1].T)])
    return total
    ### END SOLUTION


# %% check="log_likelihood" points=3
check(log_likelihood)

# %% [markdown]
r"""
Now let the machine score 667 words, 2,001 letters, one after the other: what does the running product do, and what does the running sum?
"""

# %% tags=["demo"]
with solved("log_likelihood"):
    letters = np.random.default_rng(1).integers(0, 3, size=(2000, 3))
    scores = log_likelihood(machine, letters)
    scores = scores[np.isfinite(scores)][:667]  # without C-C-C
    product, total = np.cumprod(np.exp(scores)), np.cumsum(scores)
    alive = int((product > 0).sum())
    fig, ax = plt.subplots(figsize=(7, 3), constrained_layout=True)
    places = 3 * np.arange(1, 668)
    ax.plot(places, total, color="#0072B2", label="sum of the logs")
    logs = np.log(product[:alive])
    ax.plot(places[:alive], logs, "--", color="#D55E00", lw=4, label="log of the product")
    ax.plot(places[alive - 1], logs[-1], "X", color="#D55E00", ms=11)
    ax.set(xlabel="letters", ylabel="nats")
    ax.legend()
    show(
        fig,
        f"Sum of logs falls in a straight line to {total[-1]:.0f} nats at 2,001 letters. The log of "
        f"the product follows it to {logs[-1]:.0f} nats at {3 * alive} letters and ends there.",
    )
    print(
        f"product: 0.0 from letter {3 * alive + 3} on; sum of logs: {total[-1]:.1f} nats at the end"
    )

# %% [markdown]
r"""
## Exercise 4: draw a word

`sample` · difficulty ●●● · 15 minutes · 3 points

The same factors, used in the other direction. Reading them scores a word that is *given*. Rolling them *makes* one:

> draw $x_1$ from $p(x_1)$; then $x_2$ from the row of $p(x_2 \mid x_1)$ that belongs to the $x_1$ **just drawn**; and so on.

This is called **ancestral sampling**. The word comes out with probability $p(x_1) \cdot p(x_2 \mid x_1) \cdots = p(x)$: an exact, independent draw.

How to draw from *one* row? Lay the row out as intervals on $[0, 1)$ and throw a uniform number $u$ in.

*By hand.* After B the row is $(0.5,\ 0.2,\ 0.3)$; its running sums are 0.5, 0.7, 1. Say $u = 0.62$: at or above 0.5, below 0.7, so the letter is B. In general the letter is *the number of running sums that are at most* $u$.

The check compares 8,000 of your words with the joint by a $\chi^2$ test, $\sum_x (\text{seen} - \text{expected})^2 / \text{expected}$, whose limits a right sampler fails less than once in a million runs. It also wants all your
randomness from `rng`, so that a run can be repeated.

<details><summary>Hint 1</summary>

Carry an integer array of shape `(count, 0)`, and give it one more column at each step. Its transpose, as a tuple, is the index of the rows: `factor[tuple(x.T)]` has shape `(count, k)` from the second step on.
</details>
<details><summary>Hint 2</summary>

In the first step there is one row for all: `np.broadcast_to(row, (count, k))`. `rows.cumsum(axis=1)` gives the running sums, `rng.random((count, 1))` a fresh uniform number for each word. Rounding may leave the last sum
a hair below 1: scale $u$ by it.
</details>
"""

# %% tags=["demo"]
predict(
    "A friend throws ONE u for all letters of a word. Each letter has its right row, and each u is uniform. What goes wrong?",
    ["nothing", "some words never come", "every letter comes equally often"],
    answer=1,
    why="The letters hang together by the u they share. If B came first, u was in [0.3, 0.7), and there the row after B has only A (below 0.5) and B. B-C never comes, although p(C | B) = 0.3.",
)


# %% exercise="sample"
def sample(conditionals, count, rng):
    """`count` independent words from the joint of `conditionals`: integers (count, n).

    rng: a numpy Generator, the only source of randomness.
    """
    ### BEGIN SOLUTION
    x = np.zeros((count, 0), dtype=int)
    for factor in conditionals:
        rows = np.broadcast_to(factor[tuple(x.T)], (count, factor.shape[-1]))
        sums = rows.cumsum(axis=1)
        u = rng.random((count, 1)) * sums[:, -1:]
        x = np.column_stack([x, (u >= sums).sum(axis=1)])
    return x
    ### END SOLUTION


# %% check="sample" points=3
check(sample)

# %% [markdown]
r"""
## Exercise 5: any order

`reorder` · difficulty ●○○ · 5 minutes · 2 points

Nothing in the identity says that $x_1$ must come first. For any order $o$ of the variables,

$$p(x) = \prod_{i=1}^{n} p(x_{o_i} \mid x_{o_1}, \dots, x_{o_{i-1}}).$$

*By hand.* Umbrella first: $p(\text{umbrella}) = 0.06 + 0.32 = 0.38$. Then the rain, given the umbrella: $0.32 / 0.38 = 0.842$. Other factors, and $0.38 \cdot 0.842 = 0.32$, the same product.

Write `reorder(joint, order)`, which returns the factors in the order `order`: `order[i]` is the number of the variable that comes at step `i` (both from 0). Its inverse is called `place` in this course: `place[d]` says *when* variable `d` comes. You have all you need: move the axes of the joint into the order, then factor it as
before.

<details><summary>Hint 1</summary>

`np.transpose(a, axes)` puts axis `axes[i]` of `a` at place `i`.
</details>
<details><summary>Hint 2</summary>

Do not shuffle the list of factors: $p(x_3 \mid x_1, x_2)$ does not become $p(x_3)$ by standing in front.
</details>
"""


# %% exercise="reorder"
def reorder(joint, order):
    """The factors of `joint` in the given order of its variables.

    order: a list with each of 0 … n−1 once; order[i] is the variable that comes i-th. Returns a list of n arrays:
    number i holds p(x_order[i] | x_order[0] … x_order[i−1]), its axes in this order.
    """
    ### BEGIN SOLUTION
    return conditionals(np.transpose(joint, order))
    ### END SOLUTION


# %% check="reorder" points=2
check(reorder)

# %% [markdown]
r"""
### Look at your chain

Everything below comes from **your** functions: the bars from `conditionals` and `reorder`, the circles from 2,000 draws of your `sample`.

 1. Choose B-A-C, then drag $x_3$ to the front. What becomes of its factor, and what of the product?
 2. On the left the factors *read* a word, on the right they *make* one. What is the same on both sides, what is different?
 3. Which circles are furthest from their bars, relative to the bar? Is that a bug?
"""

# %% tags=["demo"]
predict(
    "B-A-C, with x3 in front: how large is the factor of its C, which was 0.6 after B, A?",
    ["larger than 0.6", "0.6", "smaller than 0.6"],
    answer=lambda: 1 + int(np.sign(0.6 - table[:, :, C].sum())),
    why="0.6 was the share of C after B, A. With nothing known it is the share of C among all words, about 0.34.",
)

# %% tags=["demo"]
ChainExplorer.of(table, conditionals, reorder, sample, values="ABC", x=[B, A, C])

# %% [markdown]
r"""
<details><summary>Answers</summary>

1. 0.34: in front, with nothing known, C has its share among all words. The product stays.
2. The same rows, met in the same order. Reading needs only the word and could visit all cards at once; drawing must wait at each card for the letter before. Remember this: it is why such models train
   in parallel and write one letter at a time.
3. Those of rare words. A count with mean 20 scatters by about $\sqrt{20} \approx 4.5$, which is 22 %; one with mean 240 by 6 %. No bug.
</details>

### Is that so?

> "The ordering does not change the joint." — "Different orders represent different hypothesis spaces."

You may read both, sometimes on one page. **For tables all factorings give the same numbers**: the cell below takes all 6 orders, and multiplies them back. The second sentence is about *models*: if every
factor must be, say, a logistic regression, then the joints that can be built in one order are not those of another, from four bits on. (With three bits they still are: what a logistic regression cannot say is then the one interaction of all three, and that has no order.) Both sentences are true, and lesson 8 is about the gap between them.
"""

# %% tags=["demo"]
with solved("conditionals", "reorder", "joint"):
    for order in itertools.permutations(range(3)):
        factors = reorder(table, order)
        place = np.argsort(order)  # place[d]: when variable d comes; the inverse of order
        back = np.transpose(joint(factors), place)
        names = ", ".join(f"x{v + 1}" for v in order)
        off = np.abs(back - table).max()
        print(f"{names}: first factor {np.round(factors[0], 3)}, product off by {off:.0e}")

# %% [markdown]
r"""
## Experiment: four letters of English

Now real text: the help pages that come with Python (those of version 3.11.7, which the course keeps, so that your numbers are ours). 26 letters and `_` for a gap between words, and a "word" $x$ is any **four consecutive letters**. The table of all of them has $27^4 = 531{,}441$ cells. We count how often each
one occurs, and add 0.01 to every count, so that what was never seen is rare and not impossible.
"""

# %% tags=["demo"]
LETTERS = "_abcdefghijklmnopqrstuvwxyz"
K, N = len(LETTERS), 4

text = " ".join(data.python_help().values()).lower()
codes = np.array([LETTERS.find(letter) for letter in text]).clip(0)  # 0 for all that is no letter
codes = codes[(codes > 0) | np.append(True, codes[:-1] > 0)]  # several gaps in a row are one
train, test = np.split(codes, [len(codes) * 9 // 10])


def windows(codes):
    """All runs of four consecutive letters: integers (B, 4)."""
    return np.lib.stride_tricks.sliding_window_view(codes, N)


def table_of(codes, pseudo_count=0.01):
    """The joint of four consecutive letters, counted in `codes`: shape (27, 27, 27, 27)."""
    cells = np.ravel_multi_index(tuple(windows(codes).T), (K,) * N)
    counts = np.bincount(cells, minlength=K**N) + pseudo_count
    return (counts / counts.sum()).reshape((K,) * N)


def fourth_letter():
    """Nats of the fourth letter of the test text, the three before it known."""
    factors, x = conditionals(table_of(train)), windows(test)
    whole, first_three = (log_likelihood(factors[:n], x[:, :n]).mean() for n in (4, 3))
    return first_three - whole


print(f"{len(train):,} letters to count, {len(test):,} to test on")
print("".join(LETTERS[c] for c in test[:75]))

# %% [markdown]
r"""
**The number to beat.** A writer who knows no more than how often each letter occurs pays about 2.84 nats a letter on the test text. One who knows nothing pays $\log 27 = 3.30$.

How much does it help to know the letter before, the two before, the three before? And how much text does it take to learn that?
"""

# %% tags=["demo"]
predict(
    "A letter alone costs 2.84 nats. What does the fourth letter cost, once the three before it are known?",
    ["about 2.5 nats", "about 2.0", "about 1.4"],
    answer=lambda: int(np.abs(np.array([2.5, 2.0, 1.4]) - fourth_letter()).argmin()),
    why="The cell below has all four letters.",
)

# %% tags=["demo"]
with solved("conditionals", "log_likelihood"):
    x = windows(test)
    sizes = [1000, 4000, 16_000, 64_000, len(train)]
    curve, alone = [], []
    for size in tqdm(sizes, desc="counting", unit="table"):
        factors = conditionals(table_of(train[:size]))
        upto = [-log_likelihood(factors[:i], x[:, :i]).mean() for i in range(1, N + 1)]
        curve.append(upto[-1] / N)  # nats a letter, all four steps
        alone.append(upto[0])  # the first step: no memory
    fig, ax = plt.subplots(figsize=(7, 3), constrained_layout=True)
    ax.plot(sizes, alone, "s--", color="#D55E00", label="no memory: p(x1) alone")
    ax.plot(sizes, curve, "o-", color="#0072B2", label="chain of four factors")
    ax.axhline(math.log(K), color="gray", ls=":", label="no idea: log 27")
    ax.set(xscale="log", xlabel="letters counted", ylabel="test nats a letter")
    ax.legend()
    show(
        fig,
        f"Test NLL a letter against the text counted. Chain of four: {curve[0]:.2f} nats down to "
        f"{curve[-1]:.2f}, still falling. Without memory: {alone[0]:.2f} to {alone[-1]:.2f}, then flat.",
    )
    steps = np.diff([0, *upto])
    print("nats for letter 1, 2, 3, 4 given those before:", *np.round(steps, 2))
    print(
        "letters counted  test words whose last row was never seen   their fourth letter   the others'"
    )
    row = np.ravel_multi_index(
        tuple(x[:, :3].T), (K,) * 3
    )  # of the last factor, for each test word
    for size in sizes:
        before = np.ravel_multi_index(tuple(windows(train[:size])[:, :3].T), (K,) * 3)
        new = np.bincount(before, minlength=K**3)[row] == 0
        fourth = -np.log(conditionals(table_of(train[:size]))[3][tuple(x.T)])
        print(f"{size:15,} {new.mean():41.1%} {fourth[new].mean():16.2f} nats", end=" ")
        print(f"{fourth[~new].mean():8.2f} nats")

# %% [markdown]
r"""
Each letter of memory makes the next one cheaper: the fourth costs about half of the first. But the chain learns slowly. The factor $p(x_4 \mid x_{<4})$ has 19,683 rows, and each learns from its own letters alone: after 1,000 letters half of the test words ask a row that was never seen, and pay $\log 27$ for their fourth letter, like someone who knows nothing. The longer the text, the fewer do. The last column prices the rows that were seen: 2.91 nats after 1,000 letters, not much less than $\log 27 = 3.30$, for most of them were seen once or twice. **Tables do not
generalize**: a row learns nothing from its neighbors.

Set `pseudo_count=0` and look at the test NLL again: about 2 % of the test words were never seen, and one of them is enough to make it infinite.

The same factors write. Each of these words was drawn by your `sample`:
"""

# %% tags=["demo"]
with solved("conditionals", "sample"):
    english = table_of(train)
    factors = conditionals(english)
    drawn = sample(factors, 14, np.random.default_rng(2))
    print("  ".join("".join(LETTERS[letter] for letter in word) for word in drawn))

# %% [markdown]
r"""
## Exercise 6: evidence that is not a prefix

`conditional_query` · difficulty ●●○ · 10 minutes · 3 points

Back to the second question of the beginning: our machine's word *ends* in C. How did it begin? What we know is called **evidence**, and this evidence is no prefix.

With a table at hand this is easy. **Cut, then divide**: keep the cells that agree with the evidence, and divide by their sum.

*By hand.* Somebody carries an umbrella. Does it rain? Cut: the column $(0.06,\ 0.32)$. Its sum, $p(\text{umbrella}) = 0.38$. Divide: $p(\text{rain} \mid \text{umbrella}) = 0.32 / 0.38 = 0.842$.

Write `conditional_query(joint, evidence)`: `evidence` is a dictionary from variables to values, `{2: C}` for our question. The answer has one axis for each variable that is *not* in it, in their own order, and sums to 1. Evidence of
probability 0 has no answer: raise a `ValueError`.

<details><summary>Hint 1</summary>

An index can mix numbers and slices: `a[:, 1, :]` is `a[(slice(None), 1, slice(None))]`. Build such a tuple, one entry for each axis.
</details>
<details><summary>Hint 2</summary>

Do not cut one axis after the other: after the first cut the later axes have moved down by one. `evidence.get(i, …)` gives a default for the variables that are not in it.
</details>
"""


# %% exercise="conditional_query"
def conditional_query(joint, evidence):
    """p(all other variables | evidence), an array with one axis for each of them.

    evidence: {variable: value}, both integers from 0. Raises ValueError if it has probability 0.
    """
    ### BEGIN SOLUTION
    cut = joint[tuple(evidence.get(i, slice(None)) for i in range(joint.ndim))]
    mass = cut.sum()
    if mass == 0:
        raise ValueError(f"the evidence {evidence} has probability 0")
    return cut / mass
    ### END SOLUTION


# %% check="conditional_query" points=3
check(conditional_query)

# %% tags=["demo"]
with solved("conditional_query"):
    begins = conditional_query(table, {2: C}).sum(axis=1)  # sum x2 out, x1 is left
    for letter, before, after in zip("ABC", machine[0], begins, strict=True):
        print(f"begins with {letter}: {before:.3f}, and if it ends in C: {after:.3f}")

# %% [markdown]
r"""
### What comes before HE?

A word is `?he?`: we know its two middle letters. What are the others? The table answers by cut and divide. But imagine that there is **no table**, only the factors, as in every model from lesson 3 on. They answer
"what comes next?" for any prefix. How would you get at $p(x_1, x_4 \mid x_2 = \text{h}, x_3 = \text{e})$?

**Rejection.** Draw whole words. Throw away those that contradict the evidence. The rest are exact draws from the answer, but only a share $p(\text{evidence})$ survives: for one useful word you draw $1 / p(\text{evidence})$.

**Importance sampling** (here called *likelihood weighting*). Draw in order, but when a known letter's turn comes, *write it*, and give the word the probability that the model had for it as a **weight**:

$$w = \prod_{i \in \text{evidence}} p(x_i \mid x_{<i}).$$

No word is thrown away, yet many weigh almost nothing. The **effective sample size** says how many useful words $N$ of them are worth:

$$\frac{(\sum w)^2}{\sum w^2} = \frac{N}{1 + c^2}, \qquad c = \frac{\text{standard deviation of the weights}}{\text{their mean}}.$$

So rejection pays for how *rare* the evidence is, and weighting for how much its weights *vary*. Where all weights are equal, it pays nothing, however rare the evidence.

*By hand.* The umbrella again. Draw the weather: dry (0.6) or rain (0.4). Write "umbrella", with weight 0.1 on dry days, 0.8 on rainy ones. The share of rain in the total weight: $0.4 \cdot 0.8 / (0.4 \cdot 0.8 + 0.6 \cdot 0.1) = 0.32 / 0.38 = 0.842$, as it must be.
"""


# %% tags=["demo"]
def evidence_in(pattern):
    """'?he?' → {1: 8, 2: 5}."""
    return {i: LETTERS.index(letter) for i, letter in enumerate(pattern) if letter != "?"}


# %% tags=["demo"]
def distance(words, weights, exact, evidence):
    """Total variation between the weighted words and the exact answer: 0 is equal, 1 is disjoint."""
    rest = [i for i in range(N) if i not in evidence]
    cells = np.ravel_multi_index(tuple(words[:, rest].T), exact.shape)
    seen = np.bincount(cells, weights, minlength=exact.size)
    return np.abs(seen / max(seen.sum(), 1e-300) - exact.ravel()).sum() / 2


patterns = ["he??", "?he?", "??he", "th??", "??th", "??ng", "?qu?", "??qu", "???q"]

# %% [markdown]
r"""
**Watch both.** Below are 60 words each way, with the factors of the English text. Slide through the letters: on the left words die where they contradict the pattern, on the right they go on with a weight. Then type `he??`, `??he`, or a pattern of your own (`_` is the space between words).
"""

# %% tags=["demo"]
with solved("conditionals"):
    display(EvidenceExplorer(conditionals(table_of(train)), LETTERS, "?he?"))

# %% tags=["demo"]
predict(
    "he??, ?he? and ??he are about equally rare. Which is the cheapest to ask of weighted words?",
    ["he??", "?he?", "??he", "all the same: the evidence is equally rare"],
    answer=0,
    why="In front, every word has the same weight, so all of them are useful. The cell below counts.",
)

# %% tags=["demo"]
with solved("conditionals", "sample", "conditional_query"):
    english, rng, count = table_of(train), np.random.default_rng(3), 50_000
    factors = conditionals(english)
    words = sample(factors, count, rng)  # the same draws serve all patterns
    places = np.indices(english.shape, dtype=np.int8)  # each cell's letters
    costs, lines = {}, ["pattern  p(evidence)  likeliest    useful by rejection  by weighting"]
    for pattern in tqdm(patterns, desc="asking", unit="pattern"):
        evidence = evidence_in(pattern)
        exact = conditional_query(english, evidence)
        kept = np.all([words[:, i] == v for i, v in evidence.items()], axis=0)
        weights = weighted_words(factors, evidence, count, rng)[1][-1]
        worth = weights.sum() ** 2 / (weights**2).sum()
        agree = np.all([at == evidence[i] for i, at in enumerate(places) if i in evidence], axis=0)
        mass = english[agree].sum()  # p(evidence)
        costs[pattern] = (mass, kept.sum(), worth)
        best = iter(LETTERS[j] for j in np.unravel_index(exact.argmax(), exact.shape))
        answer = "".join(next(best) if c == "?" else c for c in pattern)
        numbers = f"{mass:11.4f}  {answer} {exact.max():.2f} {kept.sum():22,} {worth:13,.0f}"
        lines.append(f"{pattern:8} {numbers}")
    print("\n".join([*lines, f"(of {count:,} words drawn each time)"]))

# %% tags=["demo"]
with solved("conditionals", "sample", "conditional_query"):
    evidence = evidence_in("?he?")
    exact = conditional_query(english, evidence)
    kept = np.all([words[:, i] == v for i, v in evidence.items()], axis=0).astype(float)
    weighted, weights = weighted_words(factors, evidence, count, rng)
    runs = {"rejection": (words, kept), "weighting": (weighted, weights[-1])}
    looks, sizes = {"rejection": "o-", "weighting": "s-"}, np.geomspace(100, count, 12).astype(int)
    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), constrained_layout=True)
    for (name, (x, w)), color in zip(runs.items(), ("#D55E00", "#0072B2"), strict=True):
        away = [distance(x[:m], w[:m], exact, evidence) for m in sizes]
        left.loglog(sizes, away, looks[name], color=color, label=name)
        print(f"{name}: {away[-1]:.3f} away from the table's answer after {count:,} words")
    left.set(xlabel="words drawn", ylabel="distance from the table's answer", title="?he?")
    left.legend()
    for pattern, (mass, _, worth) in costs.items():
        right.loglog(mass, 1 / mass, "o", color="#D55E00")
        right.loglog(mass, count / worth, "s", color="#0072B2")
        at, side = ((-5, 4), "right") if "he" in pattern else ((5, 4), "left")  # its neighbor is th
        right.annotate(
            pattern, (mass, count / worth), at, textcoords="offset points", ha=side, fontsize=8
        )
    right.set(xlabel="p(evidence)", ylabel="words drawn for one useful", xlim=(8e-4, 0.05))
    show(
        fig,
        "Left: the distance from the exact answer falls as words are drawn, and is several times lower "
        "for weighting than for rejection. Right: rejection draws 1 / p(evidence) words for a useful "
        f"one, up to {1 / costs['?qu?'][0]:.0f}; weighting 1 where the evidence stands in front, and "
        f"up to {count / costs['???q'][2]:.0f} where it ends the word.",
    )

# %% [markdown]
r"""
### Is that so?

> "With an autoregressive model you can condition on whatever variables you like."

Take the same two letters at three places, and 50,000 weighted words each time:

| | `he??` | `?he?` | `??he` |
|---|---|---|---|
| useful words | 50,000 | about 5,000 | about 1,700 |

As a **prefix** the evidence costs nothing: every weight is the same number, so all words are useful, and no weight was needed: just start there. As a **suffix** the very same letters leave one word in thirty.
The letters before HE were drawn without knowing that HE would follow, and HE hardly ever follows most of them.

So the sentence is true of the *distribution* and false of the *procedure*. The answer exists, and the factors determine it. Computing it from them costs:
"""

# %% tags=["demo"]
with solved("conditionals", "sample", "conditional_query"):
    mass, _, worth = costs["?qu?"]
    print("numbers looked at, for the answer to ?qu? with 100 useful words")
    print(f"  the table, cut and divided    {K**N:>12,}")
    print(f"  rejection                     {100 / mass * N * K:>12,.0f}")
    print(f"  weighting                     {100 * count / worth * N * K:>12,.0f}")
print(f"and with words of 10 letters the table alone would take {8 * 27**10 / 1e15:.1f} petabytes")

# %% [markdown]
r"""
For four letters the table is cheaper than rejection. For ten it does not fit into any machine, while the samplers would hardly notice: how many words they need depends on **how rare the evidence is** (rejection) and on **how much the weights vary** (weighting), not on $n$ as such. But both have their own exponent: each
further known letter makes the evidence rarer, usually several times rarer, and each weight is a product of one factor more. For a page with every second letter given, both ways are hopeless, and in general even *approximate* answers are NP-hard (Dagum and Luby, 1993). What helps is to
choose the order so that the evidence comes first, to train for many orders at once (lesson 5), or to be content with questions about the future.

## A question to answer in words

A speech recognizer must fill a gap: "the cat ▢ on the mat". Your language model is autoregressive, left to right, and has 50,000 possible words for the gap.

 1. Which part of the sentence does the model use for free, and which does it ignore if you just let it write the next word?
 2. Give a way to get the *exact* distribution of the one missing word from the model's likelihoods, and say what it costs.
 3. Why does this stop working for a gap of five words, and what would you do then?

A few sentences for each.
"""

# %% [markdown] question="why_prefix" points=2
r"""
### BEGIN SOLUTION
1. The prefix "the cat" is conditioned on exactly, by starting there. The next-word distribution is $p(x_3 \mid x_{<3})$; it knows nothing of "on the mat".
2. Bayes' rule, or cut and divide over one axis: for each of the 50,000 candidates $v$ score the whole sentence, $p(\text{the cat } v \text{ on the mat})$, by the chain rule, and normalize (in log space) over $v$. Exact, since the other
   axes are all given. Cost: 50,000 sentence scores (the prefix can be shared).
3. Five missing words have $50{,}000^5 \approx 3 \cdot 10^{23}$ fillings. Then sample: draw fillings from the prefix and weight each by $p(\text{on the mat} \mid \text{the cat}, \text{filling})$ (importance sampling, with the effective
   sample size as a warning), or use better proposals, beam search, or a model trained for other orders or for infilling.

Rubric: ½ point for "the prefix is free, the suffix is ignored". 1 point for enumerating the candidates and normalizing joint scores (½ if the normalization is missing). ½ point for the exponential number of fillings together with
one sensible way out (weighting, rejection with its cost, another order, a model trained to fill in).
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

The chain rule is an identity: every joint, in every order, *is* the product of its factors, and cutting it up saves nothing by itself. The same factors score a word (read, take logs, add) and draw one (roll, write, go on), both exactly. Scores live in
log space, because products of two thousand factors are 0.0 in a computer. Evidence in front is free; evidence elsewhere has its price: by rejection, $1/p(\text{evidence})$ draws for a useful one; by weights that vary, $1 + c^2$ draws; or a table that nobody can store.

## Go further

 - C. E. Shannon (1948). *A Mathematical Theory of Communication.* Bell System Technical Journal 27. Sections 2 and 3: English written letter by letter from tables of one, two and three letters.
 - C. E. Shannon (1951). *Prediction and Entropy of Printed English.* Bell System Technical Journal 30. How far the nats a letter can fall.
 - J. Pearl (1988). *Probabilistic Reasoning in Intelligent Systems.* Morgan Kaufmann. Chapter 3: the chain rule with parents in place of whole prefixes.
 - M. Henrion (1988). *Propagating Uncertainty in Bayesian Networks by Probabilistic Logic Sampling.* UAI 1986 proceedings. Rejection.
 - R. Fung and K.-C. Chang (1990). *Weighing and Integrating Evidence for Stochastic Simulation in Bayesian Networks.* UAI 1989 proceedings. Likelihood weighting.
 - P. Dagum and M. Luby (1993). *Approximating Probabilistic Inference in Bayesian Belief Networks Is NP-Hard.* Artificial Intelligence 60.
 - Y. Bengio and S. Bengio (2000). *Modeling High-Dimensional Discrete Data with Multi-Layer Neural Networks.* NIPS 12. The factors become networks.

**Try:** beat the four-letter chain on the test text. Mix its rows with those of shorter prefixes, $\lambda\, p(x_4 \mid x_{<4}) + (1 - \lambda)\, p(x_4 \mid x_2, x_3)$, or choose the pseudo-count on a part of the training text.

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>What does the chain rule assume about the distribution?</summary>

Nothing. It holds for every joint and every order, by the definition of conditional probability.
</details>
<details><summary>How many free numbers do the factors of 20 bits hold?</summary>

$2^{20} - 1 = 1{,}048{,}575$, as many as the table.
</details>
<details><summary>Along which axis does factor i sum to 1, and which row do you give an impossible prefix?</summary>

Along its last one, $x_i$. The uniform row; it is multiplied by 0 in any case.
</details>
<details><summary>Why log p(x) and not p(x)?</summary>

The product underflows: 2,000 fair bits give 0.0 in float64 (from 1,075 bits on). The sum of logs has no such end, and $-\infty$ still says "impossible".
</details>
<details><summary>What do reading and rolling the factors have in common, and what not?</summary>

The same rows. Reading knows the whole word and can visit all factors at once; rolling needs each letter before the next row is known.
</details>
<details><summary>Which conditional questions does an ordered model answer for free?</summary>

Those whose evidence is a prefix of its order. For all others you enumerate, reject, weight, or change the order.
</details>
"""
