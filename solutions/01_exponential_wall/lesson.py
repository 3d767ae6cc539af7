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
#     name: 01_exponential_wall
#     title: "The exponential wall"
#     question: "How many numbers does it take to write down a probability distribution?"
#     minutes: 60
#     prerequisites: []
# ---

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from autograder import check
from course import data
from course.demo import solved
from course.picture import show
from course.progress import tqdm
from figures import static
from figures.dag_editor import DagEditor
from figures.parameter_growth import ParameterGrowth
from figures.predict import predict
from figures.table_size import TableSize

# %% [markdown]
r"""
## A picture is 784 bits

Scan a handwritten digit at 28 × 28 pixels, each black or white: 784 bits, less than this paragraph takes on your disk. Now write down *which digits people write*: for every possible picture, its probability. With that list
you could draw new digits, spot forged ones, and complete half-finished ones. How long is it? Guess first, then drag the slider to 784.
"""

# %% tags=["demo"]
predict(
    "At 8 bytes a number: the list of which picture still fits on a disk of 1 terabyte?",
    ["36 bits, 6 × 6 pixels", "360 bits, 18 × 20 pixels", "784 bits: the scanned digit"],
    answer=lambda: [36, 360, 784].index(max(n for n in range(785) if 8 * (2**n - 1) <= 10**12)),
    why="A picture of 6 × 6 fills half a terabyte, and every further bit doubles the list.",
)

# %% tags=["demo"]
TableSize(bits=8)

# %% [markdown]
r"""
Now the same on one page, for any number of bits, with a few other lines beside it:
"""

# %% tags=["demo"]
static.show("exponential-wall")

# %% [markdown]
r"""
The steep line is the list. It does not fit on a laptop, and not in a universe either.

But there are other lines in the picture, and they lie so flat that you may have missed them. Each of them is a way to say a
distribution over the same 784 bits with fewer than a million numbers. They are the models of this course. In this lesson you
learn to **count**: what a table costs, what it takes to be cheaper, and what is given up for it.
"""

# %% [markdown]
r"""
## A table of everything

`table_parameters` · difficulty ●○○ · 5 minutes · 2 points

A variable with $k$ values has $k$ probabilities. They sum to 1, so the last one follows from the others: only $k - 1$ of
them are **free**. The number of free numbers is what we mean by *parameters*.

Several variables together are one big variable, whose values are the combinations. If variable $i$ has $k_i$ values (its
**cardinality**), a table over all of them has

$$\prod_{i=1}^{n} k_i \;-\; 1 \quad\text{free numbers.}$$

*By hand.* A die and a coin: $6 \cdot 2 = 12$ combinations, 11 free numbers. Two coins: $2 \cdot 2 - 1 = 3$. And a constant, which
has only one value: $1 - 1 = 0$. Nothing is free, since its probability is 1.

Python's whole numbers never overflow: `2**784` is exact to the last of its 237 digits. Keep them whole.

<details><summary>Hint 1</summary>

Which function of the `math` module multiplies all numbers of a list? What does it say of an empty list, and is that right here?
</details>
<details><summary>Hint 2</summary>

How many sums have to be 1: one for each variable, or one for the table?
</details>
"""


# %% exercise="table_parameters"
def table_parameters(cardinalities):
    """Free numbers of a full table over variables with these cardinalities (a list of ints ≥ 1).

    Returns an exact Python int; 0 for no variable at all.
    """
    ### BEGIN SOLUTION
    return math.prod(cardinalities) - 1
    ### END SOLUTION


# %% check="table_parameters" points=2
check(table_parameters)

# %% [markdown]
r"""
How fast does it grow?
"""

# %% tags=["demo"]
predict(
    "20 bits need about a million numbers. How many do 40 bits need?",
    ["two million", "a hundred million", "a million millions"],
    answer=lambda: [6, 8, 12].index(int(math.log10(table_parameters([2] * 40)))),
    why=lambda: f"{table_parameters([2] * 40):,}: twice the bits, the square of the numbers.",
)

# %% tags=["demo"] title="The table's growth, by your function"
with solved("table_parameters"):
    for n in (10, 20, 40, 64):
        print(f"{n:4} bits: {table_parameters([2] * n):>26,} numbers")
    digits_long = len(str(table_parameters([2] * 784)))
    print(f" 784 bits: a number with {digits_long} digits")

# %% [markdown]
r"""
Not twice as many: the *square*. Twice the bits square the table. At 64 bits, an 8 × 8 icon, it would fill
148 million terabytes of disk with 8-byte numbers.
"""

# %% [markdown]
r"""
## When is a table too large?

`bits_to_exceed` · difficulty ●○○ · 6 minutes · 2 points

Turn the question round: given a limit, how many bits can a table not have any more? Write

$$\texttt{bits\_to\_exceed(limit)} = \text{the first } n \text{ with } 2^n - 1 > \texttt{limit}.$$

*By hand.* The limit 1000: $2^9 - 1 = 511$ is too small, $2^{10} - 1 = 1023$ is larger. So 10. And the limit 1023? A table of ten
bits has exactly 1023 numbers, which is not *more*: the answer is 11.

A logarithm is tempting. But a float holds 53 bits: it cannot tell $2^{200} - 1$ from $2^{200}$.

<details><summary>Hint 1</summary>

Try $n = 0, 1, 2, \dots$ and stop. Even for $10^{400}$ that is over in a blink: the table grows so fast that few steps are needed.
</details>
<details><summary>Hint 2</summary>

Test your stopping rule on limit 0 and on limit 1, with a pencil.
</details>
"""


# %% exercise="bits_to_exceed"
def bits_to_exceed(limit):
    """The first n such that a table over n bits has more than `limit` free numbers.

    `limit` is an int ≥ 0 of any size. Returns an int.
    """
    ### BEGIN SOLUTION
    n = 0
    while 2**n - 1 <= limit:
        n += 1
    return n
    ### END SOLUTION


# %% check="bits_to_exceed" points=2
check(bits_to_exceed)

# %% [markdown]
r"""
> **Is that so?** *"For 100 binary variables you would need more numbers than there are atoms in the observable universe."*
>
> You can read this in many places.

Nobody has counted the atoms, but their number can be estimated in three lines: the density of ordinary matter today, from the cosmic
background radiation (Planck Collaboration, 2020, table 2: $\Omega_b h^2 = 0.0224$), times the volume of a ball with a radius of 46.5 billion
light years, divided by the mass of a hydrogen atom.
"""

# %% tags=["demo"]
predict(
    "Is it so? There are about 10^80 atoms in the observable universe.",
    ["true", "wrong, by a factor of about 1,000", "wrong, by a factor of about 10^50"],
    answer=lambda: [80, 77, 30].index(int(math.log10(2**100))),
    why=lambda: f"2^100 is about {2**100:.1e}; 10^80 is passed at n = {bits_to_exceed(10**80)}.",
)

# %% tags=["demo"] title="Atoms, in three lines"
density = 0.0224 * 1.878e-26  # kg per cubic meter: Ω_b h² times the critical density over h²
volume = 4 / 3 * math.pi * (46.5e9 * 9.461e15) ** 3  # cubic meters
atoms = density * volume / 1.674e-27
print(f"atoms, roughly: {atoms:.0e}")
print(f"2^100 - 1     : {2**100 - 1:.1e}, one for every {10**80 / 2**100:.0e} atoms")
with solved("bits_to_exceed"):
    print(f"a table exceeds 10^80 at n = {bits_to_exceed(10**80)}")

# %% [markdown]
r"""
So the sentence is wrong, and by fifty powers of ten: 100 bits make $1.3 \cdot 10^{30}$ numbers, as many as the atoms in about two hundred
*people*. The universe is passed at $n = 266$, a picture of 14 × 19 pixels. The moral stays, with another
number.
"""

# %% [markdown]
r"""
## Does the chain rule save anything?

Here is an idea. Do not store the table; store how each variable depends on the ones before it:

$$p(x_1, \dots, x_n) = p(x_1)\; p(x_2 \mid x_1)\; p(x_3 \mid x_1, x_2) \cdots p(x_n \mid x_1, \dots, x_{n-1}).$$

This is the **chain rule**. It holds for every distribution. Each factor is a small table: a **row** for each combination of the earlier
values, and each row is a distribution of its own that sums to 1.

How many free numbers do these tables have together?
"""

# %% tags=["demo"]
predict(
    "For 20 bits the full table has 1,048,575 free numbers. How many do these 20 tables have together?",
    ["39", "210", "1,048,575"],
    answer=lambda: [39, 210, 2**20 - 1].index(sum(2 ** (i - 1) for i in range(1, 21))),
    why="Table i has a row for each of the 2^(i − 1) prefixes, and one free number in each row.",
)

# %% [markdown]
r"""
<details><summary>Count for three bits, then look for the pattern</summary>

$p(x_1)$ has 1 row. $p(x_2 \mid x_1)$ has 2 rows. $p(x_3 \mid x_1, x_2)$ has 4 rows. A row of two cells has one free number:
$1 + 2 + 4 = 7 = 2^3 - 1$.

In general $1 + 2 + 4 + \dots + 2^{n-1} = 2^n - 1$: exactly the table. **The chain rule alone saves nothing.** It could not:
it is an identity, so nothing about the distribution has been assumed, and nothing can have been saved.
</details>

To save numbers, something must be *assumed*. There are three great ways down from the wall: let a variable depend on fewer of the others (in a picture, leave *arrows* out), tie the tables together, or put a formula in their place. First the arrows.
"""

# %% [markdown]
r"""
## Fewer parents, fewer numbers

The season decides how likely rain is, and whether the sprinkler runs. Either makes the path wet. A wet path is slippery. But
*given that the path is wet*, it does not matter to your feet whether rain or sprinkler did it.
"""

# %% tags=["demo"]
static.show("bayes-net-tables")

# %% [markdown]
r"""
Such a graph is a **Bayes net** (Pearl, 1988). Arrows lead from **parents** to children, never in a circle, and each variable has a table
given its parents alone:

$$p(x_1, \dots, x_n) = \prod_{i=1}^{n} p(x_i \mid x_{\text{pa}(i)}).$$

`bayes_net_parameters` · difficulty ●●○ · 18 minutes · 4 points

A node with $k_i$ values has a row for each combination of its parents' values, and $k_i - 1$ free numbers in each row:

$$\sum_{i=1}^{n} (k_i - 1) \prod_{j \in \text{pa}(i)} k_j.$$

*By hand*, for the picture, with seasons of 4 values and bits elsewhere:

| node | rows | free in a row | free numbers |
|---|---|---|---|
| season | 1 (no parents) | 3 | 3 |
| rain | 4 | 1 | 4 |
| sprinkler | 4 | 1 | 4 |
| wet | 2 · 2 = 4 | 1 | 4 |
| slippery | 2 | 1 | 2 |
| | | | **17**, where the full table needs 63 |

Nodes are numbered from 0, and `parents[i]` is the list of the parents of node `i`. The picture, with the season as node 0, is
`parents = [[], [0], [0], [1, 2], [3]]`. Nodes may be listed in any order: a parent may well have a *larger* number than its child.

Two things are no Bayes net, and your function should say so with a `ValueError` whose message names a node by its number:

 - a parent that does not exist (a number below 0 or above $n - 1$): name the child;
 - a **cycle**, where a node is its own ancestor (its parent, a parent's parent, and so on): name a node on the cycle, not one below it.

<details><summary>Hint 1: the count</summary>

Two loops, one in the other: over nodes, you add; over a node's parents, you multiply.
</details>
<details><summary>Hint 2: the cycle</summary>

Cross out every node without parents. Then every node whose parents are all crossed out. And again. If you get stuck with nodes
left, then each of them has a parent among those left. What happens if you walk from parent to parent?
</details>
"""


# %% exercise="bayes_net_parameters"
def bayes_net_parameters(cardinalities, parents):
    """Free numbers of a Bayes net: cardinalities[i] values for node i, parents[i] a list of nodes.

    Returns an exact Python int. Raises ValueError, naming a node, for a parent that does not exist
    and for a cycle.
    """
    ### BEGIN SOLUTION
    n, count = len(cardinalities), 0
    for i in range(n):
        for j in parents[i]:
            if not 0 <= j < n:
                raise ValueError(f"node {i} has the parent {j}, but nodes are 0 to {n - 1}")
        count += (cardinalities[i] - 1) * math.prod(cardinalities[j] for j in parents[i])

    left = set(range(n))
    while roots := {i for i in left if left.isdisjoint(parents[i])}:
        left -= roots
    if left:
        node = min(left)
        for _ in range(n):  # each node left has a parent left: after n steps we walk on the cycle
            node = next(j for j in parents[node] if j in left)
        raise ValueError(f"node {node} is its own ancestor")
    return count
    ### END SOLUTION


# %% check="bayes_net_parameters" points=4
check(bayes_net_parameters)

# %% [markdown]
r"""
### Play: what does an arrow cost?

The tables below follow your clicks. The line under the heading is what *your* function says of the same graph.
"""

# %% tags=["demo"]
predict(
    "You draw an arrow from the season (4 values) straight to wet. By what factor does the table of wet grow?",
    ["2", "4", "8"],
    answer=lambda: [2, 4, 8].index(
        (bayes_net_parameters([4, 2, 2, 2, 2], [[], [0], [0], [0, 1, 2], [3]]) - 13) // 4
    ),
    why="A new parent with k values makes k rows of each row.",
)

# %% [markdown]
r"""
 1. Draw that arrow. Which tables stay as they are?
 2. *Start from: no arrows*, then *a chain*, then *every arrow*. Which of them is the full table?
 3. Draw a cycle (turn an arrow round). Does your function refuse it?
"""

# %% tags=["demo"]
with solved("bayes_net_parameters"):
    editor = DagEditor(bayes_net_parameters)
    display(editor)

# %% tags=["demo"]
with solved("bayes_net_parameters", "table_parameters"):
    for n in (3, 10, 20):
        chain = bayes_net_parameters([2] * n, [list(range(max(i - 1, 0), i)) for i in range(n)])
        every = bayes_net_parameters([2] * n, [list(range(i)) for i in range(n)])
        table = table_parameters([2] * n)
        print(f"{n:3} bits: chain {chain:3}, every arrow {every:,}, table {table:,}")

# %% [markdown]
r"""
A chain of $n$ bits needs $1 + 2 + 2 + \dots + 2 = 2n - 1$ numbers: **linear**. The price is an assumption: *the past speaks only through
the last bit.* For weather from day to day that may do. For the pixels of a digit? The experiment below measures it.

And one parent more on a bit costs a factor of 2, each time. With all earlier variables as parents you are back at the wall.
"""

# %% [markdown]
r"""
## Experiment: numbers want data

Is a large table merely a storage problem? Suppose that you had the disk. Each number on it still has to be *learned* from data.

We take 1,297 training digits of scikit-learn, 8 × 8 bits each, and fit Bayes nets to them, going through the pixels row by row. Each pixel gets as parents its
$m$ nearest pixels among those before it. A row of a table is learned by counting, as if it had seen one white and one black pixel beforehand
(Laplace's rule), so that nothing gets probability 0:

$$p(x_i = 1 \mid \text{row}) = \frac{\text{ones in the row} + 1}{\text{images in the row} + 2}.$$

The score is the **negative log-likelihood** of new images, in nats per image: the average of $-\log p(x)$. Less is better. (A **nat** is the unit of the natural logarithm, $1/\ln 2 = 1.44$ bits. Lesson 02 is about the score.)
"""

# %% tags=["demo"]
digits = data.digits()
parts = (digits.train, digits.valid, digits.test)
train, valid, test = (part.numpy().astype(int) for part in parts)


def nearest(i, m, side=8):
    """The m pixels before pixel i that lie nearest to it, as a list of numbers."""

    def distance(j):
        return (j // side - i // side) ** 2 + (j % side - i % side) ** 2

    return sorted(range(i), key=lambda j: (distance(j), -j))[:m]


def rows_of(images, parents):
    """Which row of its table each image falls into: the parents' bits read as a number, (B,)."""
    return images[:, np.array(parents, int)] @ (1 << np.arange(len(parents)))


def fit_tables(net, images):
    """p(x_i = 1 | row) for every pixel i and row, by Laplace's rule; a list of arrays."""
    tables = []
    for i, parents in enumerate(net):
        rows = rows_of(images, parents)
        seen = np.bincount(rows, minlength=2 ** len(parents))
        ones = np.bincount(rows, images[:, i], minlength=2 ** len(parents))
        tables.append((ones + 1) / (seen + 2))
    return tables


def nll_of_net(net, tables, images):
    """Average of −log p(x) over the images, in nats."""
    p = np.stack([t[rows_of(images, row)] for t, row in zip(tables, net, strict=True)], axis=1)
    return -np.log(np.where(images == 1, p, 1 - p)).sum(axis=1).mean()


# %% [markdown]
r"""
As $m$ goes from 0 to 14, the tables grow from 64 numbers to almost a million. What will the error on the *training* images do? And on *new* ones?
"""


# %% tags=["demo"]
def new_image_costs(m):
    """Nats of a validation image with m parents per pixel."""
    net = [nearest(i, m) for i in range(64)]
    return nll_of_net(net, fit_tables(net, train), valid)


predict(
    "From 0 to 7 to 14 parents: what does the error on new images do?",
    ["it falls, and falls on", "it falls, then rises again", "it rises from the start"],
    answer=lambda: [(-1, -1), (-1, 1), (1, 1)].index(
        tuple(np.sign(np.diff([new_image_costs(m) for m in (0, 7, 14)])).astype(int))
    ),
    why="The next two cells print the whole curve, and draw it.",
)

# %% tags=["demo"]
curve = []
for m in tqdm(range(15), desc="parents per pixel"):
    net = [nearest(i, m) for i in range(64)]
    tables = fit_tables(net, train)
    numbers = sum(len(t) for t in tables)
    visited = sum(len(np.unique(rows_of(train, parents))) for parents in net)
    nll = [nll_of_net(net, tables, images) for images in (train, valid, test)]
    curve.append((m, numbers, 1 - visited / numbers, *nll))

print("parents   numbers  rows without an image  train  valid   test")
for m, numbers, unseen, *nll in curve:
    print(f"{m:7} {numbers:9,} {unseen:22.0%}", *(f"{nats:6.2f}" for nats in nll))

# %% tags=["demo"]
best = min(curve, key=lambda point: point[4])  # chosen on the validation images
sizes = [point[1] for point in curve]
fig, ax = plt.subplots(figsize=(6.6, 3.4))
ax.plot(sizes, [point[3] for point in curve], "o--", color="#0072B2", label="training")
ax.plot(sizes, [point[4] for point in curve], "s-", color="#D55E00", label="new (validation)")
ax.annotate(f"{best[0]} parents", (best[1], best[4] + 0.7), ha="center")
ax.set(xscale="log", xlabel="numbers in the tables", ylabel="nats per image")
ax.legend(title="images")
alt = f"""Training error falls from {curve[0][3]:.1f} nats with 64 numbers to below 18. The error on new
images falls to {best[4]:.1f} nats at {best[1]:,} numbers, {best[0]} parents, and rises to {curve[-1][4]:.1f}."""
show(fig, alt)

# %% [markdown]
r"""
This is the wall from the other side. Every parent more doubles each table, but not the pile of images that fills it. With 12 parents, 95 % of
the rows have never seen an image, and know nothing but Laplace's rule, ½. The error on new images turns round and climbs.

Is that *why* it climbs? A "because" wants a **control**: change only the thing that is blamed, and look whether the effect goes. Let a row that never saw an image say what the row with one parent fewer says. Then let rows do so that saw fewer than 8 images.
"""


# %% tags=["demo"] title="The control: thin rows borrow from the table with one parent fewer"
def with_borrowing(least):
    """Nats of a validation image for m = 0 … 14, rows with fewer than `least` images repaired."""
    shorter, nats = None, []
    for m in range(15):
        net = [nearest(i, m) for i in range(64)]
        tables = fit_tables(net, train)
        for i, parents in enumerate(net if shorter else []):
            seen = np.bincount(rows_of(train, parents), minlength=len(tables[i]))
            borrowed = shorter[i][np.arange(len(seen)) % len(shorter[i])]  # without the last parent
            tables[i] = np.where(seen < least, borrowed, tables[i])
        shorter = tables
        nats.append(nll_of_net(net, tables, valid))
    return nats


def climb(least):
    """Nats from 7 parents to 14."""
    nats = with_borrowing(least)
    return nats[14] - nats[7]


# %% tags=["demo"]
predict(
    "Rows that saw no image are repaired. How much of the climb from 7 to 14 parents goes away?",
    ["all of it", "about a third", "nothing"],
    answer=lambda: [1.0, 0.33, 0.0].index(
        min((1.0, 0.33, 0.0), key=lambda share: abs(share - (1 - climb(1) / climb(0))))
    ),
    why="Rows that saw a few images do more harm together. The cell below repairs those as well.",
)

# %% tags=["demo"] title="The climb with and without repaired rows"
for least, name in enumerate(("nobody borrows", "rows that saw no image borrow")):
    print(f"{name:41}: from 7 parents to 14, {climb(least):+.2f} nats")
print(f"{'rows that saw fewer than 8 images borrow':41}: {climb(8):+.2f} nats")

# %% [markdown]
r"""
So rows without an image are a third of the story. The larger part is rows that saw a few images and speak as if they knew: when all rows of fewer than 8 images borrow, the climb is gone but for 0.2 nats. What a table lacks is *data for each row*, and an empty row is only the extreme case.

And the training images? A table of counts alone could only get better on them with every parent. Laplace's rule stands against it: a row that has seen a single image says $\tfrac23$ of what it saw, and no more. From 10 parents on so many rows are of that kind that even the training error rises again, from 17.7 to 18.1 nats. (A test of this course holds the control: without the rule it only falls.)

## One rule for every place

The second great way goes with any other: **tie** the conditionals, so that one rule serves every place. A chain of 20 bits with one table for all its steps has $1 + 2 = 3$ numbers in place of 39. What it gives up
is that one place may differ from another. Convolutions (lessons 09 and 10) and transformers (12) live by tying.

On the digits: **one** table for all 64 pixels, whose parents are the neighbors at the same distances everywhere (beyond the border, white).
"""


# %% tags=["demo"] title="One table for every pixel"
def costs_with(m, tied):
    """Nats of a validation image: the m nearest pixels before, one table for all places or each its own."""
    near = [
        (row, column) for row in range(-7, 1) for column in range(-7, 8) if (row, column) < (0, 0)
    ]
    near.sort(key=lambda at: (at[0] ** 2 + at[1] ** 2, -at[0], -at[1]))

    def rows(images):
        page = np.pad(images.reshape(-1, 8, 8), ((0, 0), (7, 7), (7, 7)))
        parts = [page[:, 7 + r : 15 + r, 7 + c : 15 + c] << k for k, (r, c) in enumerate(near[:m])]
        seen = sum(parts, np.zeros((len(images), 8, 8), int)).reshape(-1, 64)
        return seen if tied else seen + 2**m * np.arange(64)  # the place, too, chooses the row

    size = 2**m if tied else 64 * 2**m
    seen = np.bincount(rows(train).ravel(), minlength=size)
    ones = np.bincount(rows(train).ravel(), train.ravel(), minlength=size)
    p = ((ones + 1) / (seen + 2))[rows(valid)]
    return -np.log(np.where(valid == 1, p, 1 - p)).sum(axis=1).mean()


# %% tags=["demo"]
predict(
    "Three parents, and one table for all pixels: 8 numbers. With a table for each pixel a new image cost 20.6 nats. And now?",
    ["about 21", "about 28", "about 40"],
    answer=lambda: [21, 28, 40].index(
        min((21, 28, 40), key=lambda n: abs(n - costs_with(3, tied=True)))
    ),
    why="One table cannot know where on the page a pixel stands; each pixel's own table can.",
)

# %% tags=["demo"] title="Tied and not tied"
for m in (0, 3, 7, 14):
    one, own = costs_with(m, tied=True), costs_with(m, tied=False)
    print(f"{m:2} parents: one table {2**m:6,} numbers {one:5.2f} nats,", end=" ")
    print(f"a table for each pixel {64 * 2**m:9,} numbers {own:5.2f} nats")

# %% [markdown]
r"""
The two columns differ in one thing, whether the place may choose the table, and with three parents that is worth 7 nats. (With 14 it is worth 4.5.) Convolutions tie as well, and look at far more than 14 neighbors.
"""

# %% [markdown]
r"""
## A formula in place of a table

`fvsbn_parameters` · difficulty ●○○ · 4 minutes · 1 point

The third great way: keep *all* arrows, but throw the tables away. In place of a table with $2^{i-1}$ rows, take a formula
that computes the row when it is asked for. The simplest one is a logistic regression:

$$p(x_i = 1 \mid x_{<i}) = \sigma\Big(b_i + \sum_{j<i} w_{ij}\, x_j\Big).$$

Here $\sigma(t) = 1/(1 + e^{-t})$, the *logistic function*, makes a probability of any number: 0 becomes ½, large numbers go to 1, very negative ones to 0.

One of these for each variable makes a *fully visible sigmoid belief network*, **FVSBN** (Neal, 1992; Frey, Hinton and Dayan, 1996). You will
train one in lesson 03: on the digits above it looks at *all* earlier pixels with 2,080 numbers, and reaches about 18.4 nats on test images. No net of tables in the plot reaches that, with any count.

*By hand*, $n = 3$: $p(x_1)$ has a bias: 1 number. $p(x_2 \mid x_1)$ has a weight and a bias: 2. $p(x_3 \mid x_1, x_2)$ has
two weights and a bias: 3. Together 6, where the table has 7. For larger $n$ the gap opens quickly.

<details><summary>Hint 1</summary>

The $i$-th conditional has $i - 1$ weights and a bias. What is $1 + 2 + \dots + n$?
</details>
<details><summary>Hint 2</summary>

In Python, `/` makes a float, even of whole numbers.
</details>
"""


# %% exercise="fvsbn_parameters"
def fvsbn_parameters(n):
    """Weights and biases of n logistic regressions, the i-th on the i − 1 variables before it.

    `n` is an int ≥ 1. Returns an int.
    """
    ### BEGIN SOLUTION
    return n * (n + 1) // 2
    ### END SOLUTION


# %% check="fvsbn_parameters" points=1
check(fvsbn_parameters)

# %% [markdown]
r"""
## All of them at once

Your functions, over $n$, on logarithmic axes: a straight line is a power of $n$, and its slope is the exponent. **Point** at the plot, or
press → and ←, to read the numbers. At which $n$ is the FVSBN a hundredth of the table?
"""

# %% tags=["demo"]
display(ParameterGrowth(table_parameters, bayes_net_parameters, fvsbn_parameters))

# %% [markdown]
r"""
The table is the only curve that never straightens out. That is the wall: whatever the slope of a line, the table gets steeper.

## A question in words

A classmate writes: *"The chain rule turns one table of $2^n - 1$ numbers into $n$ small conditionals, $p(x_i \mid x_{<i})$. So the exponential
problem is solved, without any assumption."*

What is wrong? Name **two** kinds of assumption that do save numbers, each with a count for $n = 20$ bits, and say for each what it gives up. Five sentences are enough.
"""

# %% [markdown] question="what_saves" points=2
r"""
### BEGIN SOLUTION
The chain rule is an identity: for bits, its conditionals have 1 + 2 + 4 + … + 2^(n−1) = 2^n − 1 free numbers, so at n = 20 they need
1,048,575, just as the table does. Nothing was assumed, so nothing was saved. (1) Conditional independence: leave arrows out. A chain
of 20 bits needs 2n − 1 = 39 numbers; it gives up every dependence that does not pass through the bit just before. (2) A
parametric form: keep all arrows, but compute a row by a formula. Twenty logistic regressions (FVSBN) need 20 · 21 / 2 = 210
numbers; they give up conditionals in which earlier bits interact (an exclusive or, say).

Rubric: 1 point for saying that the conditional tables together have as many free numbers as the joint table (with the sum or a count).
1 point for two kinds of assumption (independence, a parametric form, tied conditionals: 3 numbers for a chain of 20 bits with one table), each with a right count and what it gives up; half a point
if there is one only, or if both stand there without a count.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

A table over $n$ bits needs $2^n - 1$ numbers, and the chain rule alone changes nothing about that. Numbers are saved by **assumptions**: leave out arrows (a Bayes
net: exponential only in the number of parents), tie tables (one rule for every place), or replace them by a formula (FVSBN: $n(n+1)/2$). The wall is not only about
storage: each row of a table must be *seen* often enough to be learned. And a smaller count is not a better model: compute both, the count and the likelihood.

## Ask yourself

<details><summary>Why k − 1 and not k?</summary>

The probabilities of a row sum to 1, so the last follows from the others. One is taken off for each sum: once for a joint table, once for each row of a conditional table.
</details>
<details><summary>A net of 10 ternary variables in a chain: how many free numbers?</summary>

$2 + 9 \cdot 3 \cdot 2 = 56$. The first has one row of 2 free numbers; each of the other nine has 3 rows of 2.
</details>
<details><summary>A Markov chain of order 2 over n bits: each bit looks at the two before it. How many?</summary>

$1 + 2 + 4(n - 2) = 4n - 5$ for $n \ge 2$. Mind the first two bits: they do not have two parents.
</details>
<details><summary>Why does the error on new images rise again when tables get larger?</summary>

The number of rows doubles with each parent, the number of images does not: more and more pixels fall into rows that saw no image, or a few. The control: where such rows borrow from a shorter table, the rise is gone.
</details>
<details><summary>What does tying the tables of all places save, and what does it give up?</summary>

One table in place of $n$: 8 numbers for 512, with three parents. It can no longer say that one place differs from another, which costs a digit 7 nats.
</details>

## Go further

 - J. Pearl, *Probabilistic Reasoning in Intelligent Systems*, Morgan Kaufmann, 1988: Bayes nets. The garden is from his *Causality*, Cambridge University Press, 2000, figure 1.2.
 - R. Bellman, *Dynamic Programming*, Princeton University Press, 1957: where the "curse of dimensionality" got its name.
 - C. Chow and C. Liu, "Approximating discrete probability distributions with dependence trees", *IEEE Transactions on Information Theory* 14, 1968.
 - R. Neal, "Connectionist learning of belief networks", *Artificial Intelligence* 56, 1992; B. Frey, G. Hinton and P. Dayan, "Does the wake-sleep algorithm produce good density estimators?", *Advances in Neural Information Processing Systems* 8, 1996: the FVSBN.
 - Y. Bengio and S. Bengio, "Modeling high-dimensional discrete data with multi-layer neural networks", *Advances in Neural Information Processing Systems* 12, 2000: a network for the conditionals, before NADE.
 - Planck Collaboration, "Planck 2018 results. VI. Cosmological parameters", *Astronomy & Astrophysics* 641, A6, 2020: the density of ordinary matter.
"""

# %% [markdown]
r"""
## Appendix: spend 500 numbers well

Which arrows you keep matters more than how many. Here is the number to beat: three nearest parents, 495 numbers, **20.63 nats** on the validation images.

Change `my_parents` so that the net needs **at most 500 numbers**, and get lower. Try as often as you like on the *validation* images; the test images answer once, in the cell after it, when you have chosen. (Who tunes on the test images has no test left.) It is not graded. Some questions to start with: which neighbor tells more,
the left one or the upper one? Which pixels are always white, and need no parent at all?
"""


# %% tags=["demo", "unfolded"]
def my_parents(i):
    """The parents of pixel i: pixels before it, row by row from 0. Yours to change."""
    row, column = divmod(i, 8)
    left = [i - 1] if column > 0 else []
    above = [i - 8] if row > 0 else []
    return left + above


# %% tags=["demo"]
my_net = [my_parents(i) for i in range(64)]
my_tables = fit_tables(my_net, train)
with solved("bayes_net_parameters"):
    print(f"your net: {bayes_net_parameters([2] * 64, my_net)} numbers")
mine = nll_of_net(my_net, my_tables, valid)
print(f"your net: {mine:.2f} nats on the validation images; to beat: {curve[3][4]:.2f}")

# %% tags=["demo"]
# Once, when you have chosen.
once = nll_of_net(my_net, my_tables, test)
print(f"your net: {once:.2f} nats on the test images; three nearest parents: {curve[3][5]:.2f}")
left = [[i - 1] if i % 8 else [] for i in range(64)]
above = [[i - 8] if i >= 8 else [] for i in range(64)]
for name, net in {"left": left, "upper": above}.items():
    tables = fit_tables(net, train)
    numbers = sum(len(t) for t in tables)
    print(f"{name} neighbor alone: {numbers} numbers, {nll_of_net(net, tables, test):.2f} nats")

# %% [markdown]
r"""
<details><summary>A way to 19.6 nats, after you have tried</summary>

Let the data choose. The **mutual information** of two pixels says how much one tells about the other. Give every pixel the three earlier pixels that tell most about it. The cell
below does so: the same 495 numbers, 1.1 nats better.

Chow and Liu (1968) proved that with *one* parent each, the best net of all is the tree of largest total mutual information. Its 127 numbers beat
those of the left neighbor (also about one parent each) by more than 3 nats.
</details>
"""


# %% tags=["demo"]
def mutual_information(images):
    """I(x_i; x_j) in nats between all pairs of pixels, (n, n)."""
    total = np.zeros((images.shape[1],) * 2)
    for a in (0, 1):
        for b in (0, 1):
            both = ((images == a).T.astype(float) @ (images == b) + 1) / (len(images) + 4)
            one, other = (((images == v).sum(0) + 2) / (len(images) + 4) for v in (a, b))
            total += both * np.log(both / np.outer(one, other))
    return total


information = mutual_information(train)
chosen = [[int(j) for j in np.argsort(-information[i, :i])[:3]] for i in range(64)]
chosen_tables = fit_tables(chosen, train)
nats = nll_of_net(chosen, chosen_tables, test)
print(f"{sum(map(len, chosen_tables))} numbers, chosen by the data: {nats:.2f} nats")

# %% [markdown]
r"""
A model with few numbers can be *used*: draw each pixel given its parents, from the first to the last, and you have a new image. Below, real digits,
then samples with no arrows, then samples from the best net of the plot.
"""


# %% tags=["demo"]
def sample_net(net, tables, count, rng):
    """Images drawn pixel by pixel, each given its parents' bits, (count, n)."""
    images = np.zeros((count, len(net)), int)
    for i, (parents, table) in enumerate(zip(net, tables, strict=True)):
        images[:, i] = rng.random(count) < table[rows_of(images, parents)]
    return images


rng = np.random.default_rng(0)
titles = ["real digits", "no arrows: 64 numbers", f"{best[0]} parents: {best[1]:,} numbers"]
sets = [test[:12]]
for m in (0, best[0]):
    net = [nearest(i, m) for i in range(64)]
    sets.append(sample_net(net, fit_tables(net, train), 12, rng))
fig, axes = plt.subplots(3, 1, figsize=(7, 2.5))
for ax, title, images in zip(axes, titles, sets, strict=True):
    strip = np.pad(images.reshape(12, 8, 8), ((0, 0), (1, 1), (1, 1))).transpose(1, 0, 2)
    ax.imshow(strip.reshape(10, -1), cmap="gray_r")
    ax.set_title(title, fontsize=9, loc="left")
    ax.axis("off")
fig.tight_layout()
alt = """Three rows of twelve 8 × 8 images: handwritten digits; blots in the shape of a digit with
holes and loose dots; and samples with connected strokes, some of which could be digits."""
show(fig, alt)
