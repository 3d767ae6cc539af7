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
#     name: 11_recurrent
#     title: "A state instead of a window"
#     question: "A model that looks at the last 16 letters knows nothing of the 17th. What remembers it, at the same price for every letter?"
#     minutes: 80
#     prerequisites: [02_chain_rule, 10_wavenet]
# ---

# %%
import functools
import itertools
import math
from collections import Counter, defaultdict

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from IPython.display import display
from torch import nn

from autograder import check
from course import data, pretrained
from course.demo import solved
from course.operations import count_launches, count_operations
from course.picture import show
from course.progress import tqdm
from course.training import fit
from figures.predict import predict
from figures.unrolled import Unrolled

# %% [markdown]
r"""
## One bit goes in

Twelve bits are read one after the other into a **state** of 16 numbers; each $h_t$ is made of $h_{t-1}$ and one bit. **Click a bit**: it is turned, and all states are made anew. How much of that change is left in the last one? Compare the three networks: at each step they multiply the old state by 0.5, by 1 or by 2, their **gain**.
"""

# %% tags=["demo"]
random = torch.Generator().manual_seed(0)
TURN = torch.linalg.qr(torch.randn(16, 16, generator=random))[0]  # a rotation: it keeps lengths
WAY_IN = torch.randn(16, 1, generator=random)


def network(gain):
    """A step of a network whose state is turned, and multiplied by `gain`."""
    return lambda x, h: torch.tanh(gain * h @ TURN.T + (2 * x - 1) @ WAY_IN.T)


Unrolled({f"gain {gain:g}": network(gain) for gain in (0.5, 1.0, 2.0)}, "101100111010", 16)

# %% [markdown]
r"""
## The same chain rule

$$p(x_1, \dots, x_T) = \prod_{t=1}^{T} p(x_t \mid x_{<t}), \qquad p(x_t \mid x_{<t}) = p(x_t \mid h_{t-1}), \qquad h_t = f(h_{t-1}, x_t).$$

Nothing is new in the first equation. The second one is an assumption about the *form*: all that the past has to say is in $h_{t-1}$, a vector whose size does not depend on $t$. No window, no position, no mask: a **recurrent network** cannot look ahead, since the future has not gone in yet.

## Exercise 1: one step

`rnn_step` · difficulty ●○○ · 4 minutes · 2 points

The plainest $f$ (Elman, 1990): a linear map of what is read, a linear map of the state, and a squashing.

$$h_t = \tanh(W x_t + U h_{t-1} + b).$$

$D$ numbers are read, and the state has $H$ of them; $B$ examples go side by side, a row each.

*By hand.* One unit, $W = 1$, $U = 0.5$, $b = 0$, from $h_0 = 0$. Read $x = 1$: $h_1 = \tanh 1 = 0.7616$. Read $x = 0$: $h_2 = \tanh 0.3808 = 0.3634$. The 1 is still there, smaller.

<details><summary>Hint 1</summary>

A row of `x` is one example. $W x$ for all rows at once is a product with a transpose.
</details>
<details><summary>Hint 2</summary>

Look at the shapes: which axis of `W` must meet the last axis of `x`? And which one of `U` that of `h`, when both have the same size?
</details>
"""


# %% exercise="rnn_step"
def rnn_step(x, h, W, U, b):
    """The next state (B, H), after x (B, D) was read in the state h (B, H).

    W: (H, D), U: (H, H), b: (H,). Training goes back through it.
    """
    ### BEGIN SOLUTION
    return torch.tanh(x @ W.T + h @ U.T + b)
    ### END SOLUTION


# %% check="rnn_step" points=2
check(rnn_step)

# %% [markdown]
r"""
## Exercise 2: unrolled in time

`unroll` · difficulty ●○○ · 7 minutes · 3 points

Write the loop out, one copy of $f$ after the other, and a recurrent network is a deep network with $T$ layers that share their weights. In **training** the whole text is known, so each step is fed the *true* last symbol, whatever the model would have said: **teacher forcing**. It is nothing but a shift: the state that predicts $x_t$ has read $x_1 \dots x_{t-1}$.

So a text of $T$ symbols has $T + 1$ states. The first is the given one, and has read nothing: it predicts $x_1$. The last has read all: it predicts what comes after the text.

*By hand.* With the unit above and $x = (1, 0)$ from $h = 0$: the states are $0, 0.7616, 0.3634$, three of them.

<details><summary>Hint 1</summary>

Begin with a list that holds the first state. What does each turn of the loop read, and which state does it start from?
</details>
<details><summary>Hint 2</summary>

`torch.stack` joins a list along a new axis. Batch first, time second.
</details>
"""


# %% exercise="unroll"
def unroll(step, x, h):
    """The T + 1 states (B, T + 1, H) of texts x, (B, T) or (B, T, D), beginning with the state h (B, H).

    step(x_t, h) gives the next state (B, H). The state at place t has read the t symbols before x[:, t].
    Training goes back through all of them.
    """
    ### BEGIN SOLUTION
    states = [h]
    for t in range(x.shape[1]):
        states.append(step(x[:, t], states[-1]))
    return torch.stack(states, dim=1)
    ### END SOLUTION


# %% check="unroll" points=3
check(unroll)

# %% [markdown]
r"""
Your two functions, measured: each bit is turned and the states are compared with those before. A state that moves **at or before** the place of the bit has seen what it should predict, and is crossed out.
"""


# %% tags=["demo"]
def yours(gain):
    """Your rnn_step with the weights of the network above."""
    return lambda x, h: rnn_step(2 * x - 1, h, WAY_IN, gain * TURN, torch.zeros(16))


with solved("rnn_step", "unroll"):
    steps = {f"your step, gain {gain:g}": yours(gain) for gain in (0.5, 1.0, 2.0)}
    display(Unrolled.of(unroll, steps, "101100111010", 16))

# %% [markdown]
r"""
**What it costs.** The state takes $O(1)$ memory, however long the text is, and each symbol takes one step. But the steps wait for each other: a WaveNet (lesson 10) or a Transformer (the next lesson) computes all positions of a known text *at once*, and this loop cannot. Exercise 7 comes back to that.

## Exercise 3: a gate that keeps

`gru_step` · difficulty ●●○ · 9 minutes · 3 points

A plain step overwrites the whole state each time. A **gated recurrent unit** (Cho et al., 2014) can leave it alone. Two gates between 0 and 1, the reset $r$ and the update $z$, and a proposal $n$:

$$r = \sigma(W_r x + b_r + U_r h + c_r), \qquad z = \sigma(W_z x + b_z + U_z h + c_z),$$
$$n = \tanh\big(W_n x + b_n + r \odot (U_n h + c_n)\big), \qquad h' = (1 - z) \odot n + z \odot h.$$

These are PyTorch's conventions, and its layout: the three blocks stand one under the other in the order $r, z, n$, in $W$ $(3H, D)$, in $U$ $(3H, H)$, and in *both* biases. (In the first paper $r$ multiplies $h$ *before* $U_n$; other texts exchange $z$ and $1 - z$.)

*By hand.* One unit; all weights 0, and $c_z = \ln 3$. Then $z = \frac34$, $n = 0$, and $h = 1$ becomes $0.75$. With $c_z = 10$ it becomes $0.99995$: after 1,000 steps, 96 % are left.

<details><summary>Hint 1</summary>

Compute all three blocks of $Wx + b$ in one product, and cut it with `chunk`. Do the same with $Uh + c$, and keep the two apart: why?
</details>
<details><summary>Hint 2</summary>

Two of the three add their parts at once. In the third, something comes in between.
</details>
"""


# %% exercise="gru_step"
def gru_step(x, h, W, U, b, c):
    """The next state (B, H) of a GRU in PyTorch's convention, after x (B, D) was read in the state h (B, H).

    W: (3H, D), U: (3H, H), b: (3H,) goes with W and c: (3H,) with U; blocks in the order r, z, n.
    Training goes back through it.
    """
    ### BEGIN SOLUTION
    r, z, n = (x @ W.T + b).chunk(3, dim=1)  # (B, H) each
    r_h, z_h, n_h = (h @ U.T + c).chunk(3, dim=1)
    r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
    n = torch.tanh(n + r * n_h)
    return (1 - z) * n + z * h
    ### END SOLUTION


# %% check="gru_step" points=3
check(gru_step)

# %% tags=["demo"]
with solved("gru_step"):
    torch.manual_seed(0)
    theirs = nn.GRUCell(5, 7)
    x, h = torch.randn(3, 5), torch.randn(3, 7)
    W, U, b, c = theirs.parameters()
    with torch.no_grad():
        apart = (gru_step(x, h, W, U, b, c) - theirs(x, h)).abs().max()
    print(f"largest difference from torch.nn.GRUCell on its own weights: {apart:.1e}")

# %% [markdown]
r"""
## Where does a text end?

Texts have different lengths, and a model of *texts* must say how long they are. So the **end** is a symbol of its own, here number 0, with a conditional like all others.

*By hand.* Two letters, and each of the three symbols has $\frac13$ at each step. The empty text has $\frac13$, the two texts of one letter $2 \cdot \frac19$, the $2^n$ texts of $n$ letters $\frac13 (\frac23)^n$ together: a geometric series with sum 1. Take the end away, with $\frac12$ for each letter: the texts of *each* length sum to 1, those of all lengths to infinity. That is a model of texts *given their length*, and its likelihoods of a short and of a long text are not comparable.

## Exercise 4: texts of different lengths

`nll` · difficulty ●●○ · 9 minutes · 3 points

A batch is a rectangle, so short texts are filled up with **padding** to the longest one, $T$. With `unroll` each row has $T + 1$ states, so logits $\ell$ of shape $(B, T+1, V)$: $V$ symbols, the end among them. A text of length $L$ costs

$$\mathrm{NLL} = -\sum_{t=1}^{L} \log p(x_t \mid x_{<t}) \;-\; \log p(\text{end} \mid x_{\le L}), \qquad p = \mathrm{softmax} \text{ over the } V \text{ symbols},$$

that is $L + 1$ terms, and nothing of what stands behind. (Need the padding be kept out of the *states* as well? No: it comes after the end, and states look back only.)

*By hand.* $T = 3$, a text of length 1, all logits 0, $V = 3$: the letter costs $\ln 3$, the end costs $\ln 3$, two places cost nothing: $2.1972$ nats.

<details><summary>Hint 1</summary>

Make *targets* $(B, T+1)$: which symbol should the logits at each place predict? One column more than `x` has, and behind the text it does not matter.
</details>
<details><summary>Hint 2</summary>

`torch.arange(T + 1)` against `lengths[:, None]` gives masks. With `<` you find the letters; which place more is scored?
</details>
"""

# %%
END = 0


# %% exercise="nll"
def nll(logits, x, lengths):
    """Nats (B,) that texts cost, each with its end: x (B, T), int64, of which the first `lengths` (B,) symbols count.

    logits (B, T + 1, V): those at t predict x[:, t], or the end (symbol 0) that stands after a text's last symbol.
    What x and logits hold behind that counts for nothing. A symbol as unlikely as e^−1000 costs 1,000 nats.
    """
    ### BEGIN SOLUTION
    place = torch.arange(logits.shape[1], device=x.device)  # (T + 1,)
    ends = lengths[:, None]
    targets = torch.where(place < ends, F.pad(x, (0, 1)), END)  # (B, T + 1)
    losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return torch.where(place <= ends, losses, 0.0).sum(dim=1)
    ### END SOLUTION


# %% check="nll" points=3
check(nll)

# %% [markdown]
r"""
Does it sum to 1? A recurrent network with random weights, two letters and an end. All texts of up to 12 letters are listed, and the rest is bounded: states lie between $-1$ and $1$, so no logit is larger than the sum $s_k$ of the sizes of its weights, and the end never has less than $\epsilon = e^{-s_0} / \sum_k e^{s_k}$. All longer texts together have at most $(1 - \epsilon)^{13}$.
"""

# %% tags=["demo"]
with solved("rnn_step", "unroll", "nll"):
    torch.manual_seed(0)
    W, U, b = torch.randn(8, 3), torch.randn(8, 8), torch.randn(8)
    out = torch.randn(3, 8) / 10
    largest = out.abs().sum(1)
    epsilon = float(torch.exp(-largest[END]) / torch.exp(largest).sum())
    total = 0.0
    for length in range(13):
        words = list(itertools.product((1, 2), repeat=length))
        x = torch.tensor(words, dtype=torch.long).reshape(2**length, length)
        states = unroll(
            lambda x, h: rnn_step(x, h, W, U, b), F.one_hot(x, 3).float(), torch.zeros(len(x), 8)
        )
        logits = states @ out.T
        total += float((-nll(logits, x, torch.full((len(x),), length)).double()).exp().sum())
        without = F.cross_entropy(logits[:, :-1, 1:].transpose(1, 2), x - 1, reduction="none")
        if length in (0, 1, 2, 4, 8, 12):
            print(
                f"texts of up to {length:2} letters: {total:.4f} (all longer ones: at most {(1 - epsilon) ** (length + 1):.4f});  "
                f"without an end, those of {length:2} alone: {float((-without.sum(1)).exp().sum()):.4f}"
            )

# %% [markdown]
r"""
## How far does a gradient reach?

The gradient that comes from a loss at step $T$ and goes back to $h_t$ is multiplied by $U^\top$, and by the slope of tanh, in each of $T - t$ steps. Take for $U$ a rotation times a *gain* $g$, and a state at rest, where the slope is 1: the answer is known, **exactly $g^{T-t}$**.
"""

# %% tags=["demo"]
predict(
    "Gain 0.9, and 50 steps between a letter and the loss. How much of the gradient arrives?",
    ["about 90 %", "about half a percent", "nothing at all: exactly 0"],
    1,
    f"0.9 to the power of 50 is {0.9**50:.4f}. It vanishes, and never quite.",
)

# %% tags=["demo"]
with solved("rnn_step", "unroll"):
    random = torch.Generator().manual_seed(1)
    noise = torch.randn(1, 100, 16, generator=random)
    fig, ax = plt.subplots(figsize=(7, 3), constrained_layout=True)
    own, nothing = torch.eye(16), torch.zeros(16)
    for gain, color in ((0.9, "#0072B2"), (1.0, "#009E73"), (1.1, "#D55E00")):
        step = functools.partial(rnn_step, W=own, U=gain * TURN, b=nothing)
        for scale, style in ((0.0, "-"), (0.5, "--")):
            norms = []
            for k in range(0, 101, 10):
                h = torch.zeros(1, 16, requires_grad=True)
                end = unroll(step, scale * noise[:, :k], h)[0, -1]
                norms.append(float(torch.autograd.grad(end.sum() / 4, h)[0].norm()))
            ax.semilogy(
                range(0, 101, 10),
                norms,
                style,
                color=color,
                label=f"gain {gain}, {'with input' if scale else 'at rest'}",
            )
        print(
            f"gain {gain}: after 100 steps {norms[-1]:.1e} with input; at rest the law says {gain**100:.1e}"
        )
    ax.set(xlabel="steps back", ylabel="norm of the gradient")
    ax.legend(fontsize=8)
    show(
        fig,
        "The gradient's norm against the distance, on a logarithmic axis. At rest (solid) three straight lines from 1: "
        "up, level, down. With input (dashed) all fall, since tanh flattens.",
    )

# %% [markdown]
r"""
It **vanishes** or it **explodes** (Bengio, Simard and Frasconi, 1994). For the second there is a crude cure: where the norm of the whole gradient exceeds a bound, scale it down to the bound (**clipping**; Pascanu, Mikolov and Bengio, 2013). The direction stays. Nothing scales a vanished gradient up again: what is lost among others cannot be told apart. That is what gates are for: with $z \approx 1$ a GRU's state, and the gradient through it, pass nearly unchanged.

## Exercise 5: carry the state, cut the gradient

`truncated_backprop` · difficulty ●●● · 12 minutes · 4 points

A text of 200,000 letters is one row of 200,000 steps: all their states would have to be kept for one gradient, and one update made from it. So one goes through it in **windows**: unroll $w$ symbols, take the loss, go back, update; then go on **from the state where the last window ended**, as from a number that was given. What flows forward is carried. What flows backward is cut.

For each window: the states that *predict* its symbols are all but the last one; the last one goes on to the next window.

*By hand.* $T = 5$, $w = 2$: windows of 2, 2 and 1 symbols, three updates. The state goes through all five; the gradient of the last window stops after one step.

<details><summary>Hint 1</summary>

`unroll` does a window. Which of its states go to `loss`, and which one do you keep?
</details>
<details><summary>Hint 2</summary>

Without a cut, PyTorch complains in the second window ("backward through the graph a second time"). `detach()` keeps a tensor's numbers and forgets where they came from. Where should that happen: between windows, or between steps?
</details>
"""


# %% exercise="truncated_backprop"
def truncated_backprop(step, loss, x, h, window, update):
    """Goes once through texts x, (B, T) or (B, T, D), from the state h (B, H): the state is carried, the gradient cut.

    For each window of `window` symbols (the last may be shorter): loss(states, symbols), one number, of the states
    (B, w, H) that predict the w symbols; its gradient, by backward(); then update(), which also sets gradients back to 0.
    Returns the sum of all losses, a float, and the last state (B, H), which no gradient goes through.
    """
    ### BEGIN SOLUTION
    total = 0.0
    for start in range(0, x.shape[1], window):
        symbols = x[:, start : start + window]
        states = unroll(step, symbols, h)  # (B, w + 1, H)
        nats = loss(states[:, :-1], symbols)
        nats.backward()
        update()
        total += nats.item()
        h = states[:, -1].detach()
    return total, h
    ### END SOLUTION


# %% check="truncated_backprop" points=4
check(truncated_backprop)

# %% [markdown]
r"""
### What a cut costs

A **copy task**, whose answer is known: one of 8 symbols, then 11 symbols of noise, evenly out of 4 others, and then the first symbol again. Whoever remembers pays $\ln 8 + 11 \ln 4 + 0$ nats for such a text; whoever forgets pays $\ln 8 = 2.079$ once more at its end. Your GRU learns it three times: in windows of 4, of 8, and of all 13 symbols. The state goes through all of the text each time.
"""


# %% tags=["demo"]
class Recurrent(nn.Module):
    """A GRU that reads symbols: nn.GRUCell holds the weights, your gru_step computes."""

    def __init__(self, symbols, hidden=128, width=32):
        super().__init__()
        self.embed, self.cell = nn.Embedding(symbols, width), nn.GRUCell(width, hidden)
        self.logits = nn.Linear(hidden, symbols)

    def step(self, x, h):
        cell = self.cell
        return gru_step(
            self.embed(x), h, cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh
        )

    def start(self, rows):
        return self.logits.weight.new_zeros(rows, self.cell.hidden_size)

    def loss(self, states, x):
        """The mean NLL, in nats a symbol, of symbols x (B, w) that the states (B, w, H) predict."""
        return F.cross_entropy(self.logits(states).transpose(1, 2), x)

    def priced(self, states, x):
        """The same of the copies below, without their noise (symbols from 8 on): nothing can be learned of it."""
        nats = F.cross_entropy(self.logits(states).transpose(1, 2), x, reduction="none")
        return (nats * (x < 8)).sum() / len(x)

    def trainer(self, lr, updates):
        """A function that clips the gradient, takes a step and sets it back; lr falls to 0 in so many updates."""
        optimizer = torch.optim.Adam(self.parameters(), lr=lr)
        plan = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=updates)

        def update():
            nn.utils.clip_grad_norm_(self.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            plan.step()

        return update


def copies(count, distance, seed):
    """Texts (count, distance + 1): the last symbol is the first one, with noise between."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randint(8, 12, (count, distance + 1), generator=random)
    x[:, 0] = x[:, -1] = torch.randint(8, (count,), generator=random)
    return x


# %% tags=["demo"]
predict(
    "With windows of 4 the gradient of the last symbol never reaches the first one. What does the last symbol cost after training, in nats?",
    ["nearly 0: the state carries it", "about 1", "about 2.08: it is forgotten"],
    2,
    "What went in leaves a trace in the state, which fades within a few steps: nothing ever taught the state to keep it.",
)

# %% tags=["demo"]
with solved("gru_step", "unroll", "truncated_backprop"):
    fresh, last_costs = copies(1_000, 12, seed=1), {}
    for window in (4, 8, 13):
        torch.manual_seed(0)
        model = Recurrent(12, hidden=32, width=8)
        update = model.trainer(1e-2, 300 * math.ceil(13 / window))
        for i in tqdm(range(300), desc=f"window {window}"):
            x = copies(64, 12, seed=100 + i)
            truncated_backprop(model.step, model.priced, x, model.start(64), window, update)
        with torch.no_grad():
            states = unroll(model.step, fresh, model.start(1_000))
            last = float(F.cross_entropy(model.logits(states[:, -2]), fresh[:, -1]))
        last_costs[window] = last
        print(
            f"window {window:2}: the last symbol costs {last:.3f} nats (forgotten: {math.log(8):.3f})"
        )

# %% [markdown]
r"""
With windows of 4 the last symbol stands in a window of its own: what the state had to keep for it, no gradient ever said. With windows of 8 the gradient still never reaches the first symbol, and yet most of it comes through. For the last window has five symbols, its gradient teaches "keep what you hold" for four steps, and **the weights are the same at every step**: who keeps for four keeps for twelve, nearly. The control with one window for all shows what was left. So a window bounds how far a gradient *sees*; what it teaches may reach farther, and need not.

## Exercise 6: write

`sample` · difficulty ●●○ · 8 minutes · 3 points

To write: draw a symbol from what the state predicts, **read it**, and go on in the new state. The past is never read again. A batch writes several texts at once, and they end at different times: where a text has ended, it holds the end from there on, whatever else would be drawn.

*By hand.* Limit 4; the draws of one row are 2, 1, **0**, 2. The text is $(2, 1, 0, 0)$.

<details><summary>Hint 1</summary>

`torch.multinomial` takes a matrix of probabilities, a row for each text, and the generator.
</details>
<details><summary>Hint 2</summary>

Keep a mask $(B,)$ of the texts that are over. When does a row join it, before its end is written or after?
</details>
"""


# %% exercise="sample"
def sample(step, logits, h, limit, generator=None):
    """Texts, int64 (B, limit), drawn from the state h (B, H) on; from its end on a text holds only the end, 0.

    logits(h) are those of the next symbol, (B, V); step(x, h) reads symbols x (B,) and gives the next state (B, H).
    After `limit` symbols a text is cut. All randomness comes from `generator` (None: torch's own).
    """
    ### BEGIN SOLUTION
    over = torch.zeros(len(h), dtype=torch.bool, device=h.device)
    texts = []
    for _ in range(limit):
        probs = torch.softmax(logits(h), dim=-1)  # (B, V)
        x = torch.multinomial(probs, 1, generator=generator)[:, 0]
        x = torch.where(over, END, x)
        over = over | (x == END)
        texts.append(x)
        h = step(x, h)
    return torch.stack(texts, dim=1)
    ### END SOLUTION


# %% check="sample" points=3
check(sample)

# %% [markdown]
r"""
What does the *next* symbol cost, after $t$ of them? Beside your step stand two others: **attention**, the part of a Transformer that weighs all symbols so far against each other (lesson 12 builds it), with a **cache** of a key and a value for each, which grows; and a **window** that reads its last 32 symbols again, at a price that is constant and high, and knows nothing of the 33rd. All are one layer of width 128.
"""

# %% tags=["demo"]
with solved("gru_step"):
    torch.manual_seed(0)
    cell, x, h = nn.GRUCell(128, 128), torch.randn(1, 128), torch.randn(1, 128)
    numbers = tuple(cell.parameters())
    maps = torch.randn(4, 128, 128)

    def attend(keys):
        """One query against a cache; its four linear maps, too."""
        q, k, v = (x @ m for m in maps[:3])
        k, v = torch.cat([keys, k]), torch.cat([keys, v])
        return torch.softmax(q @ k.T / 128**0.5, -1) @ v @ maps[3]

    def reread(symbols):
        return [gru_step(s[None], h, *numbers) for s in symbols]

    print(
        "after      state: kept, operations    cache: kept, operations     window: kept, operations"
    )
    for t in (8, 32, 128, 512, 2048):
        past = torch.randn(t, 128)
        costs = (
            (128, count_operations(gru_step, x, h, *numbers)),
            (2 * t * 128, count_operations(attend, past)),
            (128 * min(t, 32), count_operations(reread, past[-32:])),
        )
        print(f"{t:5}  " + "  ".join(f"{kept:12,} {work:13,}" for kept, work in costs))

# %% [markdown]
r"""
## The experiment: letters with a state

The course's own text here: Python's help topics (those of less than 20,000 letters, of version 3.11.7, which the course keeps), with an end after each. Whole topics go to validation and to the test, a little more than 30,000 letters each, and the others to training. Windows of 25 letters, 64 stretches of the text side by side; your `gru_step`, `unroll` and `truncated_backprop` do the work. The state runs on over an end into the next topic, which it can see; at the start of a pass it is 0 again.
"""


# %% tags=["demo"]
def topics():
    """(training, validation, test) as ids, an end after each topic, and the symbols; the end is number 0."""
    texts = data.python_help()
    symbols = ["␄", *sorted(set("".join(texts.values())))]
    number = {symbol: i for i, symbol in enumerate(symbols)}
    names = [name for name in sorted(texts) if len(texts[name]) < 20_000]
    shuffled = torch.randperm(len(names), generator=torch.Generator().manual_seed(0)).tolist()
    parts = {"test": [], "validation": [], "training": []}
    for i in shuffled:
        part = next(p for p in parts if p == "training" or len(parts[p]) < 30_000)
        parts[part] += [*(number[s] for s in texts[names[i]]), END]
    test, valid, train = (torch.tensor(ids) for ids in parts.values())
    return train, valid, test, symbols


def columns(ids, count):
    """A long text (N,) as `count` texts side by side: (count, N // count)."""
    length = len(ids) // count
    return ids[: count * length].view(count, length)


@torch.no_grad()
def cost(model, ids):
    """Nats a letter of a text, read as 60 texts side by side."""
    x = columns(ids, 60)
    return float(model.loss(unroll(model.step, x, model.start(60))[:, :-1], x))


train, valid, test, symbols = topics()
print(
    f"{len(train):,} letters for training, {len(valid):,} for validation, {len(test):,} for the test; {len(symbols)} symbols"
)

# %% tags=["demo", "unfolded"]
with solved("gru_step", "unroll", "truncated_backprop"):
    torch.manual_seed(0)
    letters, curve, best = Recurrent(len(symbols)), [], math.inf
    x = columns(train, 64)
    update = letters.trainer(1e-2, 4 * math.ceil(x.shape[1] / 25))
    for _ in tqdm(range(4), desc="passes over the text"):
        truncated_backprop(letters.step, letters.loss, x, letters.start(64), 25, update)
        curve.append(cost(letters, valid))
        if curve[-1] < best:  # validation chooses the pass
            best, kept = curve[-1], {k: v.clone() for k, v in letters.state_dict().items()}
    letters.load_state_dict(kept)
    print("validation, nats a letter, after each pass:", *(f"{nats:.3f}" for nats in curve))

# %% [markdown]
r"""
Beside it stands a **Transformer** of about as many numbers, of lesson 12's form (the class is the course's own). It has no state: it reads windows of 64 letters, and sees in each what stands there before. The windows begin 32 letters apart and are read twice, so each letter is read four times, as often as by your GRU. A price is that of a letter after 32 to 63 others. (Of three learning rates the validation letters chose this one, with each letter read six times.)
"""


# %% tags=["demo"]
def windows(ids):
    """A text in stretches of an end or a letter before and 64 letters, a new one every 32: (B, 65)."""
    return F.pad(ids, (1, 0), value=END).unfold(0, 65, 32)


def window_nll(model, x):
    """Nats of each letter of windows x (B, 65), given those before it in its window: (B, 64)."""
    return F.cross_entropy(model(x[:, :-1]).transpose(1, 2), x[:, 1:], reduction="none")


@torch.no_grad()
def cost_of_windows(model, ids):
    """Nats a letter: all of the first window, and of each later one what the last has not priced."""
    first, *others = window_nll(model, windows(ids))
    return float(torch.cat([first, *(nats[32:] for nats in others)]).mean())


torch.manual_seed(0)
form = {"vocab_size": len(symbols), "n_positions": 64, "n_embd": 54, "n_layer": 2, "n_head": 3}
transformer = pretrained.LanguageModel(form)
for weight in transformer.parameters():
    if weight.ndim > 1:
        nn.init.normal_(weight, std=0.02)
fit(
    transformer, windows(train), windows(valid), epochs=2, batch_size=12, lr=1e-2, clip=1.0,
    warmup=50, loss=lambda model, x: window_nll(model, x).mean(1),
)  # fmt: skip
print(f"validation: {cost_of_windows(transformer, valid):.3f} nats a letter")

# %% [markdown]
r"""
And two that learned otherwise: $n$-grams of the same training letters (how often each letter came after the last $n-1$, backed off to shorter contexts by the method of Witten and Bell, 1991), and the **small GPT** of the course (a Transformer as well, with 47 times as many numbers), which has read 4.7 million letters of Shakespeare and not one of Python. As its control, each model also reads what the small GPT was made for: 4,667 letters of *Twelfth Night*.
"""


# %% tags=["demo"]
class NGram:
    """Letters given the last n − 1, interpolated with shorter contexts (Witten and Bell, 1991)."""

    def __init__(self, ids, n, symbols):
        self.symbols, self.counts = symbols, [defaultdict(Counter) for _ in range(n)]
        ids = ids.tolist()
        for k, table in enumerate(self.counts):
            for i in range(k, len(ids)):
                table[tuple(ids[i - k : i])][ids[i]] += 1

    def cost(self, ids):
        """Nats a letter."""
        ids, total = ids.tolist(), 0.0
        for i, letter in enumerate(ids):
            p = 1 / self.symbols
            for k, table in enumerate(self.counts[: i + 1]):
                if not (seen := table.get(tuple(ids[i - k : i]))):
                    break
                p = (seen[letter] + len(seen) * p) / (seen.total() + len(seen))
            total -= math.log(p)
        return total / len(ids)


@torch.no_grad()
def cost_of_gpt(model, text, width=256):
    """Nats a letter of a text, read in pieces of `width` tokens."""
    ids, total = model.encode(text), 0.0
    for start in range(0, len(ids), width - 1):
        piece = torch.tensor([[model.end, *ids[start : start + width - 1]]])
        total += float(F.cross_entropy(model(piece)[0, :-1], piece[0, 1:], reduction="sum"))
    return total / len(text)


# %% tags=["demo"]
with solved("gru_step", "unroll", "truncated_backprop"):
    grams = {n: NGram(train, n, len(symbols)) for n in (4, 5, 6, 7)}
    chosen = min(grams, key=lambda n: grams[n].cost(valid))
    gpt = pretrained.language_model()
    play = (pretrained.folder() / "held_out.txt").read_text("utf-8")
    night = torch.tensor([symbols.index(s) for s in play])
    python = "".join(symbols[i] if i else "\n" for i in test.tolist())
    size, other = (sum(p.numel() for p in m.parameters()) for m in (letters, transformer))
    held = sum(len(c) for table in grams[5].counts for c in table.values())
    rows = (
        (f"your GRU, {size:,} numbers", cost(letters, test), cost(letters, night)),
        (
            f"Transformer, {other:,} numbers",
            cost_of_windows(transformer, test),
            cost_of_windows(transformer, night),
        ),
        (f"5-gram, {held:,} counts", grams[5].cost(test), grams[5].cost(night)),
        (
            f"{chosen}-gram, chosen on validation",
            grams[chosen].cost(test),
            grams[chosen].cost(night),
        ),
        ("small GPT, 3,749,376 numbers", cost_of_gpt(gpt, python), cost_of_gpt(gpt, play)),
    )
    print(f"{'nats a letter':32} Python's help (test)   Twelfth Night")
    for name, *nats in rows:
        print(f"{name:32} {nats[0]:14.3f} {nats[1]:20.3f}")

# %% [markdown]
r"""
**The number to beat is that of the 5-gram on the test topics.** Read the table by columns *and* by rows: which of the models is "better" depends on what it has read more than on how it remembers. With as many numbers, and after as much reading, the Transformer stands behind your GRU here: one seed each, four passes over 157,000 letters. (Its larger sister has read thirty times as many letters, seven times over.) Change the width, the windows or the number of passes, choose on validation, and open the test once.

How much is a longer past worth? The trained network reads the validation text in pieces of 128 letters, each from a state of 0. What does a letter cost, by how many were read before it?
"""

# %% tags=["demo"]
with solved("gru_step", "unroll", "truncated_backprop", "sample"):
    x = columns(valid, len(valid) // 128)
    with torch.no_grad():
        states = unroll(letters.step, x, letters.start(len(x)))[:, :-1]
        nats = F.cross_entropy(letters.logits(states).transpose(1, 2), x, reduction="none")
        start = letters.start(1)
        one = sample(letters.step, letters.logits, start, 300, torch.Generator().manual_seed(1))
    for first, last in ((0, 1), (1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128)):
        part = nats[:, first:last].flatten()
        error = float(part.std() / len(part) ** 0.5)
        print(
            f"{first:3} to {last - 1:3} letters before: {float(part.mean()):.3f} ± {error:.3f} nats"
        )
    print("\n" + "".join(symbols[i] for i in one[0].tolist()))

# %% [markdown]
r"""
## Who remembers farther?

Back to the copy task, now with the loss at its last symbol only, and four networks of about 6,000 numbers: a plain recurrent network, a GRU (PyTorch's own compiled ones, which compute what yours do), a WaveNet whose dilations $1, 2, 4, 8$ see 16 symbols, and a Transformer of one layer, PyTorch's. Each trains anew for each distance, 300 steps of 64 texts. A second WaveNet with a dilation more is the control.
"""


# %% tags=["demo"]
class Last(nn.Module):
    """A recurrent network that predicts from its last state."""

    def __init__(self, kind, hidden):
        super().__init__()
        self.embed, self.body = nn.Embedding(12, 16), kind(16, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 8)

    def forward(self, x):
        return self.out(self.body(self.embed(x))[0][:, -1])


class Waves(nn.Module):
    """A small WaveNet that predicts from its last place."""

    def __init__(self, width, dilations):
        super().__init__()
        self.embed, self.dilations = nn.Embedding(12, width), dilations
        self.layers = nn.ModuleList(nn.Conv1d(width, 2 * width, 2, dilation=d) for d in dilations)
        self.out = nn.Linear(width, 8)

    def forward(self, x):
        h = self.embed(x).transpose(1, 2)  # (B, width, T)
        for layer, d in zip(self.layers, self.dilations, strict=True):
            f, g = layer(F.pad(h, (d, 0))).chunk(2, dim=1)
            h = h + torch.tanh(f) * torch.sigmoid(g)
        return self.out(h[:, :, -1])


class Attends(nn.Module):
    """A Transformer of one layer that predicts from its last place."""

    def __init__(self, width, most=64):
        super().__init__()
        self.embed, self.places = nn.Embedding(12, width), nn.Embedding(most, width)
        self.layer = nn.TransformerEncoderLayer(
            width, 2, 2 * width, 0.0, batch_first=True, norm_first=True
        )
        self.out = nn.Linear(width, 8)

    def forward(self, x):
        place = torch.arange(x.shape[1], device=x.device)
        return self.out(self.layer(self.embed(x) + self.places(place))[:, -1])


RACE = {
    "plain RNN": lambda: Last(nn.RNN, 62),
    "GRU": lambda: Last(nn.GRU, 34),
    "WaveNet, sees 16": lambda: Waves(19, (1, 2, 4, 8)),
    "WaveNet, sees 32": lambda: Waves(17, (1, 2, 4, 8, 16)),
    "Transformer": lambda: Attends(22),
}

# %% tags=["demo"]
predict(
    "The symbol stands 32 places back. Which network can certainly not learn it, whatever the training?",
    ["the plain RNN", "the GRU", "the WaveNet that sees 16", "the Transformer"],
    2,
    "For the others it is a question of training: the path is there. Out of a window nothing comes back.",
)

# %% tags=["demo"]
DISTANCES = (4, 8, 16, 32)
with solved("gru_step"):
    cell, x, h = nn.GRUCell(16, 34), torch.randn(1, 16), torch.randn(1, 34)
    with torch.no_grad():
        apart = float((gru_step(x, h, *cell.parameters()) - cell(x, h)).abs().max())
    print(f"your step and the GRU that runs this race are {apart:.0e} apart")
    rows = []
    for make in tqdm(RACE.values(), desc="five networks, four distances"):
        rows.append([])
        for distance in DISTANCES:
            torch.manual_seed(0)
            model = make()
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
            plan = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=300)
            for i in range(300):
                x = copies(64, distance, seed=100 + i)
                loss = F.cross_entropy(model(x[:, :-1]), x[:, -1])
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                plan.step()
            x = copies(1_000, distance, seed=1)
            with torch.no_grad():
                rows[-1].append(float(F.cross_entropy(model(x[:, :-1]), x[:, -1])))
    print(f"nats of the last symbol; whoever forgets pays {math.log(8):.3f}")
    print(f"{'distance':34}" + "".join(f"{distance:8}" for distance in DISTANCES))
    for (name, make), nats in zip(RACE.items(), rows, strict=True):
        size = sum(p.numel() for p in make().parameters())
        print(f"{name:18} {size:6,} numbers" + "".join(f"{one:8.3f}" for one in nats))

# %% [markdown]
r"""
Read it with care. That a network did *not* learn it says something of 300 steps of this training with one seed. That the window of 16 fails at 32 is a proof, and the control shows that it is the window and not the convolution. Attention has a path of length 1 from every place to every other one, so no gradient has to pass 32 steps on its way (Vaswani et al., 2017, table 1); it pays with the cache.

## A row of states

PixelRNN (van den Oord, Kalchbrenner and Kavukcuoglu, 2016) takes images that way. In its *Row LSTM* each column has a state, which is made of three states of the **row above** and of the pixels to its left. What does such a state know? Your `rnn_step` for all columns of a row at once, and each pixel turned:
"""

# %% tags=["demo"]
with solved("rnn_step"):
    torch.manual_seed(0)
    W, U, b = torch.randn(3, 2), torch.randn(3, 9), torch.randn(3)

    def states_of(image):
        """(9, 9) pixels → (9, 9, 3): one state a pixel, row after row."""
        rows, h = [], torch.zeros(9, 3)
        for row in image:
            above = F.pad(h, (0, 0, 1, 1))  # a column of zeros at either end
            three = torch.cat([above[:-2], above[1:-1], above[2:]], dim=1)  # (9, 9)
            left = F.pad(row, (2, 0))
            h = rnn_step(torch.stack([left[:-2], left[1:-1]], dim=1), three, W, U, b)
            rows.append(h)
        return torch.stack(rows)

    image, seen = torch.zeros(9, 9), torch.zeros(9, 9)
    for i, j in itertools.product(range(9), range(9)):
        turned = image.clone()
        turned[i, j] = 1
        seen[i, j] = bool((states_of(turned)[6, 4] != states_of(image)[6, 4]).any())
    fig, ax = plt.subplots(figsize=(3, 3), constrained_layout=True)
    ax.imshow(seen, cmap="Blues", vmax=1.6)
    ax.plot(4, 6, "s", color="#D55E00", markersize=12)
    ax.set(xticks=[], yticks=[])
    show(
        fig,
        "A square of 9 by 9 pixels. The state of the marked pixel sees two pixels to its left and a triangle above, "
        "which widens by a pixel on either side with every row up.",
    )

# %% [markdown]
r"""
A triangle: no blind spot above, and wide corners that stay dark. Their *Diagonal BiLSTM* steps along diagonals, one state from the left and one from above, in both directions; that sees all of the past, and has to take $2n - 1$ steps for $n$ rows.

## Exercise 7: not waiting

`scan` · difficulty ●●● · 10 minutes · 3 points

Must the steps wait for each other? Take the squashing away, and let $a_t$ and $b_t$ depend on $x_t$ alone:

$$h_t = a_t \odot h_{t-1} + b_t, \qquad h_0 = 0.$$

Step $t$ is the map $h \mapsto a_t h + b_t$. Two of them, one after the other, are **such a map again**:

$$a_2 (a_1 h + b_1) + b_2 = (a_2 a_1)\, h + (a_2 b_1 + b_2).$$

(Lesson 4's sums are the case $a = 1$; the appendix of lesson 10 lets a resonator run so.) Joining maps is associative, so they need not be joined from left to right. Give each place its own map; in the first round join it to the map *one* place before, then to the one *two* places before, then four, eight, … After $\lceil \log_2 T \rceil$ rounds each place holds the map of *all* steps up to it, and its $b$ is $h_t$. Each round is a few operations on whole arrays. This is a **parallel scan** (Hillis and Steele, 1986; Blelloch, 1990).

*By hand.* $a = \frac12$ everywhere, $b = (8, 4, 2)$. One place back: $b = (8,\; \frac12 \cdot 8 + 4,\; \frac12 \cdot 4 + 2) = (8, 8, 4)$, and $a = (\frac12, \frac14, \frac14)$. Two places back: $b_3 = \frac14 \cdot 8 + 4 = 6$. And step by step: $8, 8, 6$.

(With $A_t = a_1 \cdots a_t$ one could write $h_t = A_t \sum_s b_s / A_s$, one `cumsum`. But $A_t$ soon is 0 in floating point.)

<details><summary>Hint 1</summary>

In the round with distance $d$ the first $d$ places have nothing before them: they are finished. For the others, which map comes first, the one here or the one $d$ places before?
</details>
<details><summary>Hint 2</summary>

Build new arrays with `torch.cat`, and do not write into the old ones: the new $b$ needs the old $a$.
</details>
"""


# %% exercise="scan"
def scan(a, b):
    """All states (B, T, H) of h_t = a_t h_{t−1} + b_t, from h = 0 on; a, b: (B, T, H). In about log₂ T rounds."""
    ### BEGIN SOLUTION
    distance = 1
    while distance < a.shape[1]:
        here, before = a[:, distance:], slice(None, -distance)
        b = torch.cat([b[:, :distance], here * b[:, before] + b[:, distance:]], dim=1)
        a = torch.cat([a[:, :distance], here * a[:, before]], dim=1)
        distance *= 2
    return b
    ### END SOLUTION


# %% check="scan" points=3
check(scan)

# %% tags=["demo"]
predict(
    "1,024 steps in 10 rounds. How many multiplications does the scan do, compared with the loop?",
    ["fewer", "as many", "more"],
    2,
    "Each round works on all places: T log T in place of T. It waits less, and works more. (Blelloch's scan does about 2 T.)",
)

# %% tags=["demo"]
with solved("scan", "unroll"):

    def loop(a, b):
        """The same states, one step after the other."""
        both, start = torch.stack([a, b], dim=2), torch.zeros(len(a), a.shape[2])
        return unroll(lambda ab, h: ab[:, 0] * h + ab[:, 1], both, start)

    for T in (64, 256, 1024):
        a, b = torch.rand(8, T, 16), torch.randn(8, T, 16)
        for function in (loop, scan):
            print(
                f"T = {T:5}  {function.__name__}: {count_launches(function, a, b):5} calls one after the other, "
                f"{count_operations(function, a, b):9,} operations"
            )

# %% [markdown]
r"""
That is what **state-space models** are made of: S4 (Gu, Goel and Ré, 2022) has a fixed $a$; Mamba (Gu and Dao, 2023) makes $a_t$ and $b_t$ from $x_t$, so that a symbol can say "keep" or "forget"; and trains with a scan, writes with a state of constant size. Martin and Cundy (2018) did it with gated networks whose gates look at $x_t$ only.

Why not your GRU? Its gates look at $h_{t-1}$. The composition of two affine maps is an affine map: *two numbers for each unit, however many steps it stands for*. The composition of two steps $\tanh(U \tanh(U h + \dots) + \dots)$ is no such step: it must be kept as a list of steps, as long as the text. So nothing is gained by joining them. (One may guess all states, linearize about the guess, scan, and repeat until nothing moves: Lim et al., 2024.)

## A question to answer in words

 1. A colleague shuffles windows of 25 letters from a long text, as one shuffles images, and carries the state from one batch to the next. What does the model read? Name the two honest ways.
 2. Two models of text: one scores the end, the other one does not. On short texts the second one reports fewer nats. Is it better? Say what each number is the likelihood of.
 3. On the copy task with windows of 4 the state was carried through the whole text, and still the first symbol was lost; with windows of 8 it was not, though no gradient reached it either. Why? Would clipping have helped?

A few sentences for each.
"""

# %% [markdown] question="what_is_carried" points=2
r"""
### BEGIN SOLUTION
1. A state that was made by another text: the first letters of each window are predicted from what a stranger has said, and the model learns to distrust its state. Either keep the order (each row of the batch goes on where it ended, as in the experiment), or shuffle and begin each window with the same first state (and lose what lay before it).
2. No. The first is the probability of the text among all texts, of every length; the second that of the text among those of its length, and it has left out the price of the length. They are conditional on different things; add the price of the length, or compare only what both score.
3. With windows of 4 the last symbol is alone in its window: its gradient passes no step of the state, so nothing teaches the state to keep anything. With windows of 8 it passes four steps, and what is learned there, to keep, is learned for all steps, since they share their weights. Clipping makes a large gradient smaller; here there is none.

Rubric: ½ point for the stranger's state. ½ point for one honest way with its price. ½ point for "given the length" in the second answer. ½ point for the gradient that passes no step (windows of 4) or four of them, together with shared weights.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

A recurrent network has the chain rule of all other lessons, and keeps the past in a state of constant size: constant memory and work for each symbol written, and steps that wait for each other in training. A model of texts has to score their end. What is carried forward is not what is learned: the gradient reaches as far as its window, and vanishes or explodes on the way unless gates hold it near 1. Without a nonlinearity between the steps, a scan makes all states at once.

## Go further

 - J. L. Elman (1990). *Finding Structure in Time.* Cognitive Science 14.
 - Y. Bengio, P. Simard, P. Frasconi (1994). *Learning Long-Term Dependencies with Gradient Descent is Difficult.* IEEE Transactions on Neural Networks 5. S. Hochreiter, J. Schmidhuber (1997). *Long Short-Term Memory.* Neural Computation 9.
 - K. Cho et al. (2014). *Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation.* EMNLP. The GRU.
 - R. Pascanu, T. Mikolov, Y. Bengio (2013). *On the Difficulty of Training Recurrent Neural Networks.* ICML. Clipping.
 - A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu (2016). *Pixel Recurrent Neural Networks.* ICML.
 - A. Vaswani et al. (2017). *Attention Is All You Need.* NIPS 30.
 - W. D. Hillis, G. L. Steele (1986). *Data Parallel Algorithms.* Communications of the ACM 29. G. E. Blelloch (1990). *Prefix Sums and Their Applications.* Technical report CMU-CS-90-190.
 - E. Martin, C. Cundy (2018). *Parallelizing Linear Recurrent Neural Nets Over Sequence Length.* ICLR. A. Gu, K. Goel, C. Ré (2022). *Efficiently Modeling Long Sequences with Structured State Spaces.* ICLR. A. Gu, T. Dao (2023). *Mamba: Linear-Time Sequence Modeling with Selective State Spaces.* arXiv:2312.00752.
 - Y. H. Lim, Q. Zhu, J. Selfridge, M. F. Kasim (2024). *Parallelizing Non-linear Sequential Models over the Sequence Length.* ICLR.

**Try:** give the GRU of the copy task biases $c_z = 2$ at the start. How far does it reach now, in as many steps?

## Recall

Cover the screen above, and answer aloud before you unfold.

<details><summary>How many states does a text of T symbols have, and what does the last one predict?</summary>

$T + 1$. The last one has read all, and predicts the end (or what comes next).
</details>
<details><summary>What is teacher forcing?</summary>

In training each step reads the true symbol before, and not the one that the model would have drawn. As a program: a shift.
</details>
<details><summary>What do the probabilities of all texts of five letters sum to, in a model without an end?</summary>

To 1, and so do those of any other length.
</details>
<details><summary>Gain 1.1 at rest: by how much has a gradient grown after 100 steps?</summary>

By $1.1^{100}$, nearly 14,000.
</details>
<details><summary>What is carried between two windows, and what is cut?</summary>

The state's numbers are carried; the way that a gradient would take back is cut.
</details>
<details><summary>Which recurrences can be computed by a scan?</summary>

Those whose steps, joined, are a step of the same size again: linear ones in $h$, whatever $a_t$ and $b_t$ make of $x_t$.
</details>
"""
