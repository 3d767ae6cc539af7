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
#     name: 12_gpt2
#     title: "GPT-2: the same identity with attention"
#     question: "How can one network read a whole text at once, predict every next token, and never look ahead?"
#     minutes: 90
#     prerequisites: [02_chain_rule, 05_made]
# ---

# %%
import contextlib
import functools
import itertools
import math

import ipywidgets as widgets
import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from IPython.display import display
from torch import nn

from autograder import check
from autograder.inside.gpt2 import suspects
from course import data, matvec, pretrained, writing
from course.causality import dependency_map
from course.demo import solved
from course.operations import count_launches, count_operations
from course.picture import show
from course.step import RECORDERS, WARM_UPS
from course.training import fit
from figures.attention import AttentionExplorer
from figures.attention_steps import AttentionSteps
from figures.dependency import dependency_explorer
from figures.predict import predict

# %% [markdown]
r"""
## Every token predicts the next

A text is a row of **tokens**: pieces of words, each with a number. *Byte-pair encoding* makes them: begin with the 256 bytes, and give the most frequent pair of neighbors a number of its own, again and again (Sennrich, Haddow and Birch, ACL 2016). GPT-2 has $256 + 50{,}000$ pairs $+\ 1 = 50{,}257$ tokens. A language model is the chain rule over them, $p(x) = \prod_t p(x_t \mid x_{<t})$, with one network for all the conditionals.

Below is such a model: a small GPT, trained on Shakespeare. **Walk along the line** with the arrow keys or the pointer. Under each token stand the tokens that the model holds likely to come *next*. Put a text of your own into the box, and press Enter.
"""

# %%
NAME = pretrained.SMALL  # or pretrained.GPT2_124M where there is a network: 548 MB, once
PROMPT = "What is the matter, my good lord?"


# %% tags=["demo"]
ready = pretrained.language_model(NAME)


def line_of(text):
    """The first 24 tokens of a text, (1, T)."""
    return torch.tensor([ready.encode(text)[:24] or [ready.end]])


box = widgets.Text(PROMPT, description="text", continuous_update=False)
picture = AttentionExplorer.of(ready, line_of(PROMPT), decode=ready.decode)
box.observe(lambda change: picture.read(line_of(change["new"])), names="value")
display(box, picture)

# %% [markdown]
r"""
The triangle on the right was **measured**: each token was exchanged for others, and we noted which predictions moved. Position $t$ sees tokens $1 \dots t$ and nothing after them. And all these predictions came from **one pass**. Lesson 5 did that with masks on weights, for a fixed number of variables; a text has no fixed length, so here the mask moves into the *attention*. (Lesson 11's networks need none.)

**Where does a text end?** The token that says so, `<|endoftext|>`, is one of the vocabulary, and has a conditional like all others. Without it the texts of *each* length would sum to 1; with it those of *all* lengths together do, if an end comes at last. *By hand:* where it has $\tfrac14$ at each step, the lengths have $\tfrac14, \tfrac34 \cdot \tfrac14, (\tfrac34)^2 \cdot \tfrac14, \dots$, which sum to 1.

This lesson builds GPT-2 (Radford et al., 2019): your code will load its real weights.

### One step of attention

Each token asks a **query** $q$, and shows a **key** $k$ and a **value** $v$. Three tokens, two numbers each: read the four tables from the left to the right.
"""

# %% tags=["demo"] title="One step of attention, on three tokens"
tokens = ("my", "good", "lord")
q = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
k = torch.tensor([[1.0, 1.0], [0.0, 1.0], [2.0, 0.0]])
v = torch.tensor([[8.0], [4.0], [0.0]])
scores = q @ k.T / math.sqrt(2)  # row: who asks; column: who answers
masked = scores.masked_fill(torch.ones(3, 3).triu(1).bool(), -math.inf)
weights = masked.softmax(dim=-1)
print(f"{'':6}{'q·k / √2':^22}{'after the mask':^22}{'softmax':^22}  Σ w v")
for i, token in enumerate(tokens):
    rows = ("".join(f"{x:7.2f}" for x in table[i]) for table in (scores, masked, weights))
    print(f"{token:<6}" + " ".join(rows) + f"   {(weights @ v)[i, 0]:6.2f}")

# %% [markdown]
r"""
The same step in a trained head: **type words of your own**, and choose the token that asks.
"""

# %% tags=["demo"]
AttentionSteps.of(ready, PROMPT, head=8)

# %% [markdown]
r"""
## Exercise 1: attention that looks back

`causal_attention` · difficulty ●●○ · 12 minutes · 4 points

The answer at $i$ is a weighted mean of values; the weights say how well the query fits the keys (Vaswani et al., 2017, equation 1):

$$
s_{ij} = \frac{q_i \cdot k_j}{\sqrt{d}}, \qquad
w_{ij} = \frac{e^{s_{ij}}}{\sum_{j' \le i} e^{s_{ij'}}} \ \text{ for } j \le i, \ \text{ else } 0, \qquad
y_i = \sum_j w_{ij}\, v_j .
$$

$d$ is the length of a query: the product of two random vectors with entries of variance 1 has the variance $d$, and the root makes it 1 again.

**The mask** makes it causal: position $i$ may look at $j \le i$. In practice: set the forbidden scores to $-\infty$ **before** the softmax, since $e^{-\infty} = 0$.

*By hand.* $d = 4$, and every query happens to have the scores $q \cdot k = (0,\ 2\ln 2,\ 2 \ln 5)$ with the three keys. Divided by $\sqrt 4$ and exponentiated: $1, 2, 5$. The values are the numbers $8, 4, 0$.

| position | allowed | weights | answer |
|---|---|---|---|
| 1 | 1 | $1, 0, 0$ | $8$ |
| 2 | 1, 2 | $\tfrac13, \tfrac23, 0$ | $\tfrac{16}{3}$ |
| 3 | 1, 2, 3 | $\tfrac18, \tfrac28, \tfrac58$ | $2$ |

**Fewer queries than keys.** Later we shall ask for the *newest* tokens only, with keys and values of all tokens at hand. So: with $T$ queries and $S \ge T$ keys, the queries are the **last** $T$ of the $S$ positions. A value has $E$ numbers, as many as a query or not. The … in the shapes below are axes in front, batch and heads for example: each of their entries attends by itself.

<details><summary>Hint 1</summary>

`q @ k.transpose(-2, -1)` has shape `(…, T, S)`. Which axis belongs to the keys? The softmax runs over that one.
</details>
<details><summary>Hint 2</summary>

`torch.ones(T, S, dtype=torch.bool).triu(1)` is true above the diagonal: the future, if $T = S$. Query $i$ stands at position $S - T + i$. By how much must the diagonal move? And `scores.masked_fill(future, -math.inf)`.
</details>
"""

# %% tags=["demo"]
predict(
    "T = 1, S = 3. Which keys may the single query see?",
    ["the first", "the last", "all three"],
    answer=2,
    why="It stands at the last position. A mask from the top left corner would show it the first key only, as PyTorch's own scaled_dot_product_attention(…, is_causal=True) does.",
)


# %% exercise="causal_attention"
def causal_attention(q, k, v):
    """Each query's weighted mean of the values at its own and earlier positions: (…, T, E).

    q: (…, T, d). k: (…, S, d) and v: (…, S, E) with S ≥ T; the queries are the LAST T of the S positions.
    """
    ### BEGIN SOLUTION
    T, S = q.shape[-2], k.shape[-2]
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (…, T, S)
    future = torch.ones(T, S, dtype=torch.bool, device=q.device).triu(S - T + 1)
    weights = torch.softmax(scores.masked_fill(future, -math.inf), dim=-1)
    return weights @ v
    ### END SOLUTION


# %% check="causal_attention" points=4
check(causal_attention)

# %% tags=["demo"]
AttentionSteps.of(ready, PROMPT, causal_attention, head=8)  # and this is yours

# %% [markdown]
r"""
### Is that so?

> "The causal attention mask zeroes out attention weights for future positions."

True of the *outcome*. As a recipe it goes wrong: a softmax over everything, and then zeros for the future.
"""

# %% tags=["demo"]
predict(
    "The three rows of the example by hand, so zeroed: what do they sum to?",
    ["1, 1, 1", "1/8, 3/8, 1", "0, 1/3, 1"],
    answer=1,
    why="The denominator is 8 in each row.",
)

# %% tags=["demo"]
scores = torch.tensor([0.0, math.log(2), math.log(5)]).expand(3, 3)  # after the division by √d
values = torch.tensor([[8.0], [4.0], [0.0]])
after = torch.softmax(scores, dim=-1).tril()  # zeros, after the softmax
before = torch.softmax(scores.masked_fill(torch.ones(3, 3).triu(1).bool(), -math.inf), dim=-1)
for name, w in (("zeroed after", after), ("−∞ before", before)):
    sums, answers = w.sum(-1).tolist(), (w @ values)[:, 0].tolist()
    print(
        f"{name:<13} rows sum to {[round(s, 3) for s in sums]}, answers {[round(a, 2) for a in answers]}"
    )

moved = scores.clone()
moved[0, 2] += 3  # the future changes its mind
changed = torch.softmax(moved, dim=-1).tril()[0]
print(f"zeroed after: the first weight goes from {after[0, 0]:.3f} to {changed[0]:.3f}")

# %% [markdown]
r"""
Rows that sum to 0.125 and 0.375: the early tokens hardly speak. And worse: the *denominator* still contains the future, so a change of the third token moves the first weight. It is a leak, though every forbidden weight is zero.

Setting the forbidden scores to **0** is wrong too: $e^0 = 1$ is a weight like any other.

## Exercise 2: a block

`Block` · difficulty ●●○ · 9 minutes · 2 points

GPT-2 is a stack of equal blocks. Each *adds* two things to its input $x$ (a **residual** connection) of shape $(B, T, C)$: $B$ texts, $T$ positions, $C$ numbers for each.

$$x \leftarrow x + \text{out}\big(\text{attention}(\text{LN}_1(x))\big), \qquad x \leftarrow x + \text{down}\big(\text{GELU}(\text{up}(\text{LN}_2(x)))\big).$$

A **layer norm** (LN) takes each position's vector less its mean, divides by its standard deviation, and scales and shifts it by learned numbers. It stands *before* each part (pre-LN): the sum itself is never squeezed. **GELU** is a smooth ReLU, $z\,\Phi(z)$, in its tanh form `F.gelu(…, approximate="tanh")`.

**Heads.** Queries, keys and values are linear maps of $\text{LN}_1(x)$: `self.q`, `self.k` and `self.v`. Each has width $C$ and is cut into $H$ heads of width $C/H$; each head attends by itself, and the answers are put side by side again:

$$(B, T, C) \;\to\; (B, T, H, C/H) \;\to\; (B, H, T, C/H) \;\to\; \text{attention} \;\to\; (B, T, C).$$

*By hand.* $T = 2$, $C = 4$, $H = 2$, rows $(1,2,3,4)$ and $(5,6,7,8)$. Head 1 must hold $(1,2), (5,6)$, and head 2 $(3,4), (7,8)$.

For exercise 8: with a **cache**, the keys and values of earlier tokens come from there. `cache.append(self.layer, k, v)` takes the new ones `(B, H, T, C/H)` and gives back *all* of them, `(B, H, S, C/H)`.

<details><summary>Hint 1</summary>

`x.view(B, T, self.heads, -1).transpose(1, 2)` splits. On the way back: `.transpose(1, 2).reshape(B, T, C)`.
</details>
<details><summary>Hint 2</summary>

Five steps: normalize; q, k, v, each split; the cache, if there is one; `self.attend(q, k, v)`, merged, `self.out`, added to x; the second part, which starts from the *new* x.
</details>
"""

# %% tags=["demo"]
predict(
    "What would .view(B, H, T, C // H) put into head 1, in one step?",
    ["(1, 2), (5, 6): right", "(1, 2), (3, 4)", "(1, 5), (2, 6)"],
    answer=1,
    why="Both from the first token: its positions are pieces of one. View as (B, T, H, C / H) first, then transpose.",
)


# %% exercise="Block"
class Block(nn.Module):
    """One block of GPT-2: attention, then a two-layer network, each added to its input."""

    def __init__(self, config, layer):
        super().__init__()
        size = config["n_embd"]
        self.layer, self.heads = layer, config["n_head"]
        self.ln_1, self.ln_2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.q, self.k, self.v, self.out = (nn.Linear(size, size) for _ in range(4))
        self.up, self.down = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)
        self.attend = causal_attention  # yours; an experiment will exchange it

    def forward(self, x, cache=None):
        """(B, T, C) → (B, T, C). With a cache, x are the newest T tokens of a longer text."""
        ### BEGIN SOLUTION
        B, T, C = x.shape
        read = self.ln_1(x)
        q, k, v = (
            part(read).view(B, T, self.heads, -1).transpose(1, 2)  # (B, H, T, C / H)
            for part in (self.q, self.k, self.v)
        )
        if cache is not None:
            k, v = cache.append(self.layer, k, v)  # (B, H, S, C / H)
        y = self.attend(q, k, v).transpose(1, 2).reshape(B, T, C)
        x = x + self.out(y)
        return x + self.down(F.gelu(self.up(self.ln_2(x)), approximate="tanh"))
        ### END SOLUTION


# %% check="Block" points=2
check(Block)

# %% [markdown]
r"""
## Exercise 3: GPT-2

`GPT2` · difficulty ●●○ · 7 minutes · 3 points

What is left is a beginning and an end:

 1. A token's vector plus its **position's** vector: $x_t = \text{wte}[\text{token}_t] + \text{wpe}[t]$. Positions count from 0.
 2. All blocks, one after the other.
 3. A last layer norm $\text{ln}_f$, and logits for each token $u$ of the vocabulary: $\ell_{tu} = \text{ln}_f(x_t) \cdot \text{wte}[u]$. The same table serves at both ends: the head is **tied** (Press and Wolf, 2017).

The logits at position $t$ are those of token $t + 1$. So position $t$ may see token $t$ itself, and it must not see $t + 1$.

*By hand.* A model that has read 5 tokens (`cache.length` is 5) gets 2 more. Their positions are 5 and 6, not 0 and 1: `start` is there for this.

<details><summary>Hint 1</summary>

`torch.arange(start, start + T)` are the positions; `self.wpe(…)` of it has shape `(T, C)` and adds to `(B, T, C)` by broadcasting.
</details>
<details><summary>Hint 2</summary>

`self.wte.weight` has shape `(V, C)`. The product of `(B, T, C)` with which matrix gives `(B, T, V)`? And hand `cache` on to each block.
</details>
"""


# %% exercise="GPT2"
class GPT2(nn.Module):
    """GPT-2 (Radford et al., 2019). `config` has the model hub's keys:

    vocab_size V, n_positions, n_embd C, n_layer, n_head.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config["vocab_size"], config["n_embd"])
        self.wpe = nn.Embedding(config["n_positions"], config["n_embd"])
        self.h = nn.ModuleList(Block(config, layer) for layer in range(config["n_layer"]))
        self.ln_f = nn.LayerNorm(config["n_embd"])
        for name, p in self.named_parameters():  # small weights: all tokens start out likely
            if "ln_" not in name:
                nn.init.normal_(p, std=0.02) if p.ndim > 1 else nn.init.zeros_(p)

    @classmethod
    def from_pretrained(cls, name):
        """The model of that name with its trained weights, by your `load_hf` (exercise 5)."""
        model = cls(pretrained.config(name))
        model.load_state_dict(load_hf(pretrained.state_dict(name)))
        return matvec.spread(model.eval())  # the same numbers, in memory as writing reads them

    def forward(self, tokens, cache=None):
        """Ids (B, T) → logits (B, T, V); those at position t are of the token after it."""
        start, T = 0 if cache is None else cache.length, tokens.shape[1]
        if start + T > self.config["n_positions"]:
            limit = self.config["n_positions"]
            raise ValueError(f"the model has {limit} positions: got {start} + {T} tokens")
        ### BEGIN SOLUTION
        positions = torch.arange(start, start + T, device=tokens.device)
        x = self.wte(tokens) + self.wpe(positions)  # (B, T, C)
        for block in self.h:
            x = block(x, cache)
        return self.ln_f(x) @ self.wte.weight.T
        ### END SOLUTION


# %% check="GPT2" points=3
check(GPT2)

# %% [markdown]
r"""
### A mask that you know

In lesson 5 a unit of degree $m$ could see inputs of degree at most $m$, and an output had to be *strictly* above. It is the same here: position $t$ of every block has degree $t$, the causal mask is the rule $m(t) \ge m(s)$, and the strict step is at the end, where the logits at $t$ are those of token $t + 1$. So count the paths, as you did for MADE: multiply the masks.
"""

# %% tags=["demo"]
mask = torch.ones(5, 5).tril()  # row: a position; column: the positions that it reads
for blocks in (1, 3):
    print(f"paths through {blocks} block(s), to the logits of tokens 2 … 6 from tokens 1 … 5:")
    print(torch.linalg.matrix_power(mask, blocks).int().numpy())

# %% [markdown]
r"""
However many blocks: no path from a token to its own logits or to earlier ones, and a path from every token before. This course has three ways to see to that:

| way | where | what is kept out |
|---|---|---|
| masks on **weights** | MADE (5), PixelCNN (9) | connections that are multiplied by 0 |
| a **shift**, padding on one side | PixelCNN's vertical stack (9), WaveNet (10) | the future is outside of the window |
| a mask on **attention** | GPT-2 | scores that are $-\infty$ |

*Autoregressive* is the factorization, *transformer* a network: BERT is a transformer without the factorization, WaveNet has it without a transformer.

### Is that so?

> "Attention has no order: without positions, a transformer sees a bag of words."

We set all of wpe to zero, keep the last token, and put the four before it into every order.
"""

# %% tags=["demo"]
predict(
    "Do the last logits stay the same, whatever the order of the four tokens before?",
    ["yes, with one block and with two", "with one block only", "with two blocks only", "never"],
    answer=1,
    why="Run the next cell: it tries all 24 orders.",
)

# %% tags=["demo"]
with solved("GPT2", "Block", "causal_attention"):
    orders = torch.tensor([[*order, 4] for order in itertools.permutations(range(4))])  # (24, 5)
    for blocks in (1, 2):
        settings = {"vocab_size": 5, "n_positions": 5, "n_embd": 16, "n_layer": blocks, "n_head": 2}
        random = torch.Generator().manual_seed(0)
        unplaced = GPT2(settings).double()
        with torch.no_grad():
            for p in unplaced.parameters():
                p.normal_(std=0.5, generator=random)
            unplaced.wpe.weight.zero_()
            last = unplaced(orders)[:, -1]
        print(f"{blocks} block(s): the last logits change by {(last - last[0]).abs().max():.1e}")

# %% [markdown]
r"""
With one block it is so, up to rounding: every key and value is made of its own token alone. With two it is **not**: the second token has read one token by then, the third two, so what the last position adds up depends on the order after all. (Where nothing is masked, the sentence is true at any depth.)
"""

# %% [markdown]
r"""
## Exercise 4: 124 million

`gpt2_parameters` · difficulty ●○○ · 5 minutes · 2 points

How many numbers is that? Count them by the formula, and PyTorch will count them too.

*By hand.* $V = 10$ tokens, 4 positions, $C = 2$, one block.

| part | numbers |
|---|---|
| wte, wpe | $10 \cdot 2 + 4 \cdot 2 = 28$ |
| q, k, v, out: a matrix and a bias each | $4\,(2 \cdot 2 + 2) = 24$ |
| up, down | $(2 \cdot 8 + 8) + (8 \cdot 2 + 2) = 42$ |
| $\text{LN}_1$, $\text{LN}_2$: a scale and a shift each | $2 \cdot 2 \cdot 2 = 8$ |
| $\text{ln}_f$ | $4$ |
| the head | $0$: tied |
| all | $106$ |

<details><summary>Hint 1</summary>

Count one block as a polynomial in $C$, then multiply by the number of blocks.
</details>
<details><summary>Hint 2</summary>

A block has $12\,C^2 + 13\,C$. Check it with $C = 2$, and add what stands outside of the blocks.
</details>
"""

# %% tags=["demo"]
predict(
    "Twice as many heads: how many more parameters?",
    ["none", "twice as many in q, k, v", "twice as many in all"],
    answer=0,
    why="The heads share the width C among them.",
)


# %% exercise="gpt2_parameters"
def gpt2_parameters(config):
    """The number of parameters of a GPT-2 with a tied head, an exact int; keys as in `GPT2`."""
    ### BEGIN SOLUTION
    C = config["n_embd"]
    block = 12 * C**2 + 13 * C
    return (config["vocab_size"] + config["n_positions"]) * C + config["n_layer"] * block + 2 * C
    ### END SOLUTION


# %% check="gpt2_parameters" points=2
check(gpt2_parameters)

# %%
GPT2_SMALL = {"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12}

# %% tags=["demo"]
with solved("gpt2_parameters", "GPT2"):
    small = pretrained.config(pretrained.SMALL)
    counted = sum(p.numel() for p in GPT2(small).parameters())
    print(f"the small GPT by your formula {gpt2_parameters(small):,}, by PyTorch {counted:,}")
    total, table = gpt2_parameters(GPT2_SMALL), GPT2_SMALL["vocab_size"] * GPT2_SMALL["n_embd"]
    print(f"GPT-2 {total:,}; an untied head would add {table:,} or {table / total:.0%}")

# %% [markdown]
r"""
## Exercise 5: somebody else's weights

`load_hf` · difficulty ●●○ · 8 minutes · 2 points

A trained model is a dictionary: name → tensor. The model hub's GPT-2 has the same numbers as yours under other names and in another layout:

| the hub | yours | what to do |
|---|---|---|
| `wte.weight`, `wpe.weight`, `ln_f.*`, `h.3.ln_1.*`, `h.3.ln_2.*` | the same | nothing |
| `h.3.attn.c_attn.*` | `h.3.q.*`, `h.3.k.*`, `h.3.v.*` | cut into three |
| `h.3.attn.c_proj.*` | `h.3.out.*` | rename |
| `h.3.mlp.c_fc.*`, `h.3.mlp.c_proj.*` | `h.3.up.*`, `h.3.down.*` | rename |
| `h.3.attn.bias`, `h.3.attn.masked_bias` | | skip: stored masks, no biases |
| `lm_head.weight` | | skip: it is `wte.weight` again |

Some files put `transformer.` before every name, some do not.

**Conv1D.** All `c_…` weights are stored as $(\text{in}, \text{out})$; `nn.Linear` keeps $(\text{out}, \text{in})$. So they must be transposed. `c_proj` of the attention is **square**: forget it there, and no error will tell you.

*By hand.* $C = 2$, `c_attn.weight` $= \begin{pmatrix} 1 & 2 & 3 & 4 & 5 & 6 \\ 7 & 8 & 9 & 10 & 11 & 12\end{pmatrix}$. Its first two *columns* make the queries: `q.weight` $= \begin{pmatrix} 1 & 7 \\ 2 & 8 \end{pmatrix}$, and `v.weight` $= \begin{pmatrix} 5 & 11 \\ 6 & 12 \end{pmatrix}$.

<details><summary>Hint 1</summary>

Go through `state_dict.items()` and fill a new dictionary. `name.removeprefix("transformer.")` leaves other names alone; `name.endswith((".a", ".b"))` asks for several ends at once.
</details>
<details><summary>Hint 2</summary>

Transpose first: then `value.chunk(3)` cuts weight and bias alike along their first axis, and `zip("qkv", …)` names the parts.
</details>
"""

# %% tags=["demo"]
predict(
    "You skip everything that ends in attn.bias. Which name is caught by mistake?",
    ["h.3.attn.c_proj.bias", "h.3.attn.c_attn.bias", "none"],
    answer=1,
    why="With the dot before it, .attn.bias, it is not.",
)

# %%
RENAMED = {"attn.c_proj": "out", "mlp.c_fc": "up", "mlp.c_proj": "down"}


# %% exercise="load_hf"
def load_hf(state_dict):
    """The hub's GPT-2 weights under the names and in the layout of `GPT2` above.

    state_dict: name → tensor, with or without "transformer." before the names; it stays as it is. Returns a
    new dictionary that `GPT2(config).load_state_dict` accepts.
    """
    ### BEGIN SOLUTION
    ours = {}
    for name, value in state_dict.items():
        name = name.removeprefix("transformer.")
        if name.endswith((".attn.bias", ".attn.masked_bias")) or name == "lm_head.weight":
            continue
        if ".c_" in name and name.endswith(".weight"):
            value = value.T  # (in, out) → (out, in)
        for theirs, mine in RENAMED.items():
            name = name.replace(theirs, mine)
        if "attn.c_attn" in name:
            for letter, part in zip("qkv", value.chunk(3), strict=True):
                ours[name.replace("attn.c_attn", letter)] = part
        else:
            ours[name] = value
    return ours
    ### END SOLUTION


# %% check="load_hf" points=2
check(load_hf)

# %% [markdown]
r"""
### Your model reads

The same explorer, now on **your** network with the trained weights. It also shows the weights of your `causal_attention`, head by head.

 1. Go through the heads. Is there one that looks mostly at the token just before? One that stays with the first?
 2. Does any row of weights reach beyond the diagonal?
 3. Is the model's favorite for the next token ever the one that comes? Where is it sure, and where is it lost?
"""

# %% tags=["demo"]
with solved("load_hf", "GPT2", "Block", "causal_attention"):
    gpt = GPT2.from_pretrained(NAME)
    tokens = torch.tensor([ready.encode(PROMPT)])  # (1, T)
    with torch.no_grad():
        apart = (gpt(tokens) - ready.logits(tokens)).abs().max()
    print(f"largest difference to the ready-made model's logits: {apart:.1e}")
    display(AttentionExplorer.of(gpt, tokens, decode=ready.decode))

# %% [markdown]
r"""
## Exercise 6: how likely is a sentence?

`sequence_nll` · difficulty ●●○ · 6 minutes · 2 points &nbsp;·&nbsp; `perplexity` · difficulty ●○○ · 2 minutes · 1 point

The logits at position $t$ belong to token $t + 1$. So the negative log-likelihood **shifts** them against the tokens:

$$\text{NLL}(x) = -\sum_{t = g}^{T - 1} \log p(x_t \mid x_{<t}), \qquad p(x_t \mid x_{<t}) = \text{softmax}(\ell_{t-1})_{x_t},$$

counting from 0. The first $g \ge 1$ tokens are **given**: nothing is asked about them. At least one has to be, since no logits stand before the first.

*By hand.* Three tokens, $p(x_1 \mid x_0) = \tfrac12$ and $p(x_2 \mid x_0, x_1) = \tfrac14$. With $g = 1$: NLL $= \ln 2 + \ln 4 = \ln 8 = 2.079$ nats. With $g = 2$: $\ln 4 = 1.386$.

**Perplexity** is $e$ to the mean NLL *per scored token*: $e^{2.079/2} = \sqrt 8 = 2.83$, as uncertain as a fair choice among 2.83 tokens. Over a batch, the mean runs over all scored tokens of all rows, *inside* the exponential.

<details><summary>Hint 1</summary>

Which logits are about tokens $g \dots T-1$? Those at positions $g-1 \dots T-2$: the last position's prediction is not scored.
</details>
<details><summary>Hint 2</summary>

`F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")` takes `(B, V, n)` and `(B, n)`, and gives `(B, n)` in nats. Never take a softmax and its logarithm apart.
</details>
"""

# %% tags=["demo"]
predict(
    "Which perplexity has a model that gives all V tokens the same probability?",
    ["1", "log V", "V"],
    answer=2,
    why="And without the division it would be one over the probability of the whole text.",
)


# %% exercise="sequence_nll"
def sequence_nll(model, tokens, given=1):
    """−log p(tokens after the first `given` | those): (B,) nats, for ids (B, T) with T > given ≥ 1.

    Training goes back through it.
    """
    ### BEGIN SOLUTION
    logits = model(tokens)[:, given - 1 : -1]  # (B, T − given, V)
    targets = tokens[:, given:]
    return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none").sum(dim=1)
    ### END SOLUTION


# %% check="sequence_nll" points=2
check(sequence_nll)


# %% exercise="perplexity"
def perplexity(model, tokens, given=1):
    """e to the mean NLL per scored token of the batch: a float."""
    ### BEGIN SOLUTION
    scored = tokens.shape[0] * (tokens.shape[1] - given)
    return math.exp(sequence_nll(model, tokens, given).sum().item() / scored)
    ### END SOLUTION


# %% check="perplexity" points=1
check(perplexity)

# %% [markdown]
r"""
### A page it has never read

The small GPT was trained on 36 of Shakespeare's plays. *Twelfth Night* was held out; here are its first scenes. Tokens differ from model to model, so perplexities do not compare. **Bits per byte** do: the NLL in bits, divided by the bytes of the text. (GPT-2 may well have read these scenes.)

Every text of the training began with the token `<|endoftext|>`, so ours does, too: it is the one that is *given*.
"""

# %% tags=["demo"]
predict(
    "A byte has 8 bits. How many of them does the small GPT need for a byte of this page?",
    ["about 5", "about 3", "about 2"],
    answer=2,
    why="The cell below counts.",
)

# %% tags=["demo"]
with solved("sequence_nll", "perplexity", "load_hf", "GPT2"):
    end = ready.end
    ids = torch.tensor([end, *ready.encode(pretrained.held_out())])
    length = min(gpt.config["n_positions"], len(ids))
    page = ids[: len(ids) // length * length].view(-1, length)  # rows of one context each
    with torch.no_grad():
        nats, known = sequence_nll(gpt, page).sum().item(), perplexity(gpt, page)
    scored = page[:, 1:]  # the first token of a row is given
    size = sum(len(ready.decode(line).encode()) for line in scored)
    even = scored.numel() * math.log2(gpt.config["vocab_size"])
    print(ready.decode(page[0, 1:60]), "…")
    print(f"{scored.numel()} tokens, {size} bytes: {nats:.0f} nats, perplexity {known:.1f}")
    print(
        f"{nats / math.log(2) / size:.2f} bits per byte; {even / size:.2f} if all tokens were equally likely"
    )

# %% [markdown]
r"""
### Which sentence is English?

An exact likelihood ranks sentences, and needs no training for it. **Put these in order yourself first.** All have the same words; only their order differs.
"""

# %% tags=["demo"]
with solved("sequence_nll", "load_hf", "GPT2"):
    sentences = [
        "I pray you, sir, where is the king?",
        "I pray you, where is the king, sir?",
        "The king, I pray you, sir, where is?",
        "Pray the king, sir, where I is you?",
        "Sir king the where, you is I pray,?",
    ]
    ranked = []
    for sentence in sentences:
        ids = torch.tensor([[end, *ready.encode(sentence)]])
        with torch.no_grad():
            ranked.append((sequence_nll(gpt, ids).item(), ids.shape[1] - 1, sentence))
    for nats, count, sentence in sorted(ranked):
        print(f"{nats:6.1f} nats, {nats / count:4.2f} a token   {sentence}")

# %% [markdown]
r"""
The *sum* ranks whole sentences; the *mean* per token forgives length.

## Exercise 7: the model writes

`generate` · difficulty ●○○ · 4 minutes · 2 points

Sampling is the chain rule from left to right: read, take the distribution after the **last** position, draw a token, append it, read again. One pass for every token.

Two small functions are given. `choose` takes one token a row: a draw from the softmax, or the likeliest if there is no generator. `window` is for texts that outgrow the model: it has a learned vector for each of its $n$ positions and none for position $n$, so an endless text needs a rule.

> **The rule of this course.** Up to $n$ tokens the model reads all of them. Then the window jumps by half a context: the oldest $n/2$ tokens drop out, and the rest moves to the positions from 0 on.

*By hand.* $n = 8$. A text of 8 tokens is read whole. With 9 tokens, the model reads the last 5; with 12 the last 8; with 13 again the last 5.

<details><summary>Hint 1</summary>

`model(window(tokens, limit))` has shape `(B, t, V)`. Which of the $t$ predictions is about the next token?
</details>
<details><summary>Hint 2</summary>

`choose(logits, generator)` gives `(B, 1)`: `torch.cat` along the axis of time appends it to *all* tokens, also those outside of the window.
</details>
"""


# %%
def choose(logits, generator=None):
    """(B, V) → (B, 1): a draw from softmax(logits), or the likeliest token without a generator."""
    if generator is None:
        return logits.argmax(dim=-1, keepdim=True)
    return torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)


def window(tokens, limit):
    """The last tokens, (B, t) with t ≤ limit, that a model with `limit` positions reads.

    All of them while they fit; then the start jumps by half of the limit at a time.
    """
    jump, over = max(1, limit // 2), tokens.shape[1] - limit
    return tokens if over <= 0 else tokens[:, jump * math.ceil(over / jump) :]


# %% exercise="generate"
@torch.no_grad()
def generate(model, tokens, count, generator=None):
    """`count` tokens more, one pass each: ids (B, T), T ≥ 1 → (B, T + count).

    Reads `window(tokens, model.config["n_positions"])` each time, and takes what `choose` takes.
    """
    ### BEGIN SOLUTION
    for _ in range(count):
        logits = model(window(tokens, model.config["n_positions"]))[:, -1]  # (B, V)
        tokens = torch.cat([tokens, choose(logits, generator)], dim=1)
    return tokens
    ### END SOLUTION


# %% check="generate" points=2
check(generate)

# %% tags=["demo"]
with solved("generate", "load_hf", "GPT2"):
    start = torch.tensor([[end, *ready.encode("HAMLET.\n")]])
    for seed in (1, 2):
        text = generate(gpt, start, 70, torch.Generator().manual_seed(seed))
        print(ready.decode(text[0, 1:]).strip(), "\n" + "─" * 60)

# %% [markdown]
r"""
## Exercise 8: do not read it all again

`Cache` · difficulty ●●○ · 4 minutes · 2 points &nbsp;·&nbsp; `generate_cached` · difficulty ●●○ · 6 minutes · 2 points

`generate` reads the whole text again for each new token. But look at a block: position $t$ hands nothing to the others but its key and its value, and those depend on tokens $\le t$ only. They *never change* when the text grows. So keep them.

*By hand.* A prompt of 4 tokens and 4 new ones. `generate` reads $4 + 5 + 6 + 7 = 22$ tokens. With a cache: $4 + 1 + 1 + 1 = 7$. In general, with a prompt of $T$ and $N$ new ones: $T \cdot N + N(N-1)/2$ against $T + N - 1$.

`Cache` keeps a pair $(k, v)$ for each block, of shape $(B, H, S, d)$:

 - `append(layer, k, v)`: the new ones go **behind** the old ones of that layer, along the axis of time; returns all.
 - `reorder(rows)`: row $b$ of the batch becomes what row `rows[b]` was. Beam search needs it, when two continuations come from one beginning.

<details><summary>Hint 1</summary>

`torch.cat([old_k, k], dim=…)`: the axes are batch, heads, time, width. A layer that is not in `self.pairs` yet has nothing old. And `k[rows]` picks rows, with repetition.
</details>
<details><summary>Hint 2</summary>

For `generate_cached`, compare the length of `window(…)` with `cache.length`. Usually the window is one token longer; at first it is the whole prompt; after a jump it is *no longer* than what the cache holds. What is new is `seen[:, cache.length :]`.
</details>
"""

# %% tags=["demo"]
predict(
    "The window jumps. Can the cache drop its oldest half, and go on with the rest?",
    ["yes", "no"],
    answer=1,
    why="Every token then stands at another position: its vector is another, and so are all keys and values. The new window is read afresh, into an empty cache.",
)


# %% exercise="Cache"
class Cache:
    """Keys and values of all the tokens that a model has read, a pair for each block."""

    def __init__(self):
        self.pairs = {}  # layer → (k, v), each (B, H, S, d)

    @property
    def length(self):
        """How many tokens have been read."""
        return self.pairs[0][0].shape[2] if self.pairs else 0

    def append(self, layer, k, v):
        """Keeps k and v (B, H, T, d) of the newest tokens; returns those of all: (B, H, S, d)."""
        ### BEGIN SOLUTION
        if layer in self.pairs:
            old_k, old_v = self.pairs[layer]
            k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], dim=2)
        self.pairs[layer] = (k, v)
        return k, v
        ### END SOLUTION

    def reorder(self, rows):
        """Row b of the batch becomes what row rows[b] was; rows: int64 (B',), repeats allowed."""
        ### BEGIN SOLUTION
        self.pairs = {layer: (k[rows], v[rows]) for layer, (k, v) in self.pairs.items()}
        ### END SOLUTION


# %% check="Cache" points=2
check(Cache)


# %% exercise="generate_cached"
@torch.no_grad()
def generate_cached(model, tokens, count, generator=None):
    """The same tokens as `generate`, but each token is read once: `model(new_tokens, cache)`.

    When the window jumps, it is read afresh into an empty cache.
    """
    ### BEGIN SOLUTION
    cache = Cache()
    for _ in range(count):
        seen = window(tokens, model.config["n_positions"])
        if cache.length >= seen.shape[1]:  # the window has jumped: other positions, other keys
            cache = Cache()
        logits = model(seen[:, cache.length :], cache)[:, -1]  # (B, V)
        tokens = torch.cat([tokens, choose(logits, generator)], dim=1)
    return tokens
    ### END SOLUTION


# %% check="generate_cached" points=2
check(generate_cached)

# %% [markdown]
r"""
### Is that so?

> "With KV caching, the per-token cost is roughly constant in the prefix length."

How many multiplications and additions does the *next* token take, after a text of so many tokens?
"""

# %% tags=["demo"]
predict(
    "With the cache: how does the cost of the next token grow from 1 token before it to 255?",
    ["not at all", "a little", "255 times"],
    answer=1,
    why="The products with the weights stay; the attention looks at more keys.",
)

# %% tags=["demo"]
with solved("Cache", "GPT2", "Block", "causal_attention", "load_hf"):
    lengths = [1, 2, 4, 8, 16, 32, 64, 128, 255]
    text = torch.randint(
        gpt.config["vocab_size"], (1, 256), generator=torch.Generator().manual_seed(0)
    )
    whole, kept = [], []
    for n in lengths:
        cache = Cache()
        with torch.no_grad():
            gpt(text[:, :n], cache)
        whole.append(count_operations(gpt, text[:, : n + 1]))
        kept.append(count_operations(gpt, text[:, n : n + 1], cache))

# %% tags=["demo"]
with solved("Cache", "GPT2", "Block", "causal_attention", "load_hf"):
    fig, ax = plt.subplots(figsize=(6.4, 3.4), constrained_layout=True)
    ax.loglog(lengths, whole, "o-", color="#D55E00", label="all read again")
    ax.loglog(lengths, kept, "s-", color="#0072B2", label="with the cache")
    ax.set(xlabel="tokens before", ylabel="operations for the next token")
    ax.legend(frameon=False)
    grown = kept[-1] / kept[0]
    show(
        fig,
        f"Operations for the next token against the tokens before it, both axes logarithmic. All read again: a "
        f"rising line, from {whole[0]:,} to {whole[-1]:,}. With the cache: almost flat, from {kept[0]:,} to {kept[-1]:,}.",
    )
    print(f"at 255 tokens: {whole[-1] / kept[-1]:.0f} times fewer with the cache")
    print(f"with the cache: {grown:.2f} times the cost after 255 tokens as after one")

# %% [markdown]
r"""
*Almost* flat. The products with the weights cost the same for every token; the attention itself looks at all the keys, and this part grows with the text. It is small while the text is short against the width of the network.

### Training in parallel, writing in turn

The clock shows what was **counted** while your functions ran. In training all tokens are there, so one pass predicts them all (*teacher forcing*). In writing, each pass waits for the token that the last one made. Press *next pass*, or let it run.
"""

# %% tags=["demo"]
with solved("generate", "Cache", "generate_cached", "load_hf", "GPT2"):
    line = ready.encode("My lord, I will")
    display(
        AttentionExplorer.of(
            gpt,
            torch.tensor([line]),
            decode=ready.decode,
            writers={"generate": generate, "generate_cached": generate_cached},
            count=8,
        )
    )

# %% [markdown]
r"""
| | training, scoring | writing |
|---|---|---|
| what is known | all tokens | the prompt, then what was drawn |
| passes for $T$ tokens | 1 | $T$ |
| tokens read | $T$ | $T(T+1)/2$ anew, $T$ with a cache |

The cache saves arithmetic, not passes. And what takes the time of one such pass?
"""

# %% tags=["demo"]
predict(
    "What takes the time of one such pass, at batch 1?",
    ["the arithmetic", "reading the weights"],
    answer=1,
    why="Half a gigabyte a token: the cell below counts.",
)

# %% tags=["demo"]
with solved("gpt2_parameters"):
    C = GPT2_SMALL["n_embd"]
    read = gpt2_parameters(GPT2_SMALL) - GPT2_SMALL["n_positions"] * C  # one row of wpe is enough
    print(f"one token of GPT-2: {2 * read / 1e6:,.0f} million operations")
    print(f"and {4 * read / 1e6:,.0f} MB of weights, each read once, for that one token")
    print(f"a memory of 33 GB a second: {33e9 / (4 * read):.0f} tokens a second at the very most")

# %% [markdown]
r"""
Half a gigabyte a token: at batch 1 the reading alone sets a limit, whatever the arithmetic takes. Fewer bytes a weight (int8) move it, and so do many texts that share one reading (a larger batch). `benchmarks/README.md`, GPT-2, measures how near to it your cache comes, and what int8 brings.

### One launch for a token

On a GPU, `generate_cached` stays far below that limit. For each token Python hands over hundreds of small pieces of work (**launches**), one after the other, and the card waits for Python. A *CUDA graph* records the launches of one step; from then on a single launch plays them all again, in the same places of the memory, without Python.

So a step has to be the same each time. Yours is not: its cache grows, and its position is a number of Python's. A `StaticCache` makes room for the whole text at once; `position` is a number on the card, and the mask hides what lies behind it. The blocks are yours.

*By hand.* Room for 4, position 1: the scores become $(s_0, s_1, -\infty, -\infty)$.
"""

# %% tags=["demo"]
predict(
    "Does such a step multiply less than yours?",
    ["less", "as much", "more"],
    answer=2,
    why="It always attends to the whole room. What it saves is waiting.",
)


# %%
class StaticCache:
    """Keys and values of one text, with room for `room` tokens; the next stands at `position`."""

    def __init__(self, model, room):
        config, weight = model.config, model.wte.weight
        shape = (1, config["n_head"], room, config["n_embd"] // config["n_head"])
        self.pairs = [(weight.new_zeros(shape), weight.new_zeros(shape)) for _ in model.h]
        self.places = torch.arange(room, device=weight.device)
        self.position = self.places[:1].clone()

    def take(self, cache):
        """Begins with what a `Cache` has kept."""
        for layer, pair in enumerate(self.pairs):
            for mine, theirs in zip(pair, cache.pairs[layer], strict=True):
                mine[:, :, : cache.length] = theirs
        self.position.fill_(cache.length)

    def append(self, layer, k, v):
        """Puts k and v (1, H, 1, d) at the position; returns the whole room, (1, H, room, d)."""
        for kept, new in zip(self.pairs[layer], (k, v), strict=True):
            kept.index_copy_(2, self.position, new)
        return self.pairs[layer]

    def attend(self, q, k, v):
        """The answer of the token at the position; what lies behind it is not written yet."""
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (1, H, 1, room)
        return torch.softmax(scores.masked_fill(self.places > self.position, -math.inf), -1) @ v


# %%
@contextlib.contextmanager
def attending(model, attend):
    """The model with another attention in all of its blocks, for the length of a `with`."""
    before = [block.attend for block in model.h]
    for block in model.h:
        block.attend = attend
    try:
        yield
    finally:
        for block, own in zip(model.h, before, strict=True):
            block.attend = own


def static_step(model, cache, token):
    """Reads the token (1, 1), puts the likeliest next one in its place; the logits (1, 1, V)."""
    x = model.wte(token) + model.wpe(cache.position)
    for block in model.h:
        x = block(x, cache)
    logits = model.ln_f(x) @ model.wte.weight.T
    token.copy_(logits.argmax(dim=-1))
    cache.position += 1
    return logits


# %%
def static_writer(model, room):
    """Records a step for texts of up to `room` tokens; gives `write(tokens, count)`, which plays it.

    write: one text (1, T), T + count ≤ room → the same tokens as `generate_cached` without a generator.
    """
    if room > model.config["n_positions"]:
        raise ValueError(
            f"the model has {model.config['n_positions']} positions: got room for {room}"
        )
    cache = StaticCache(model, room + WARM_UPS)
    token = cache.places[:1, None].clone()
    record = RECORDERS.get(token.device.type, lambda step: step)  # without a card, Python plays
    with torch.no_grad(), attending(model, cache.attend):
        play = record(lambda: static_step(model, cache, token))

    @torch.no_grad()
    def write(tokens, count):
        read = Cache()
        made = [choose(model(tokens, read)[:, -1])]  # the prompt, in one pass
        cache.take(read)
        token.copy_(made[0])
        with attending(model, cache.attend):
            for _ in range(count - 1):
                play()
                made.append(token.clone())
        return torch.cat([tokens, *made], dim=1)

    return write


# %% tags=["demo"] title="The same tokens, by equal steps"
with solved("GPT2", "Block", "causal_attention", "load_hf", "Cache", "generate_cached"):
    line = torch.tensor([ready.encode("My lord, I will")])
    plain, static = generate_cached(gpt, line, 40), static_writer(gpt, 64)(line, 40)
    print(
        f"{ready.decode(static[0])}\n{'─' * 60}\nthe same 40 tokens: {torch.equal(plain, static)}"
    )
    read, cache, token = Cache(), StaticCache(gpt, 40), line[:, -1:].clone()
    with torch.no_grad():
        gpt(line[:, :-1], read)
        cache.take(read)
        wanted = gpt(token, read)
    with torch.no_grad(), attending(gpt, cache.attend):
        apart = (static_step(gpt, cache, token) - wanted).abs().max()
    print(f"largest difference of the logits: {apart:.0e}")

# %% tags=["demo"] title="How many launches"
with solved("GPT2", "Block", "causal_attention", "Cache"):
    twelve = GPT2({**GPT2_SMALL, "vocab_size": 64, "n_embd": 24})  # as many launches as GPT-2
    read, cache, token = Cache(), StaticCache(twelve, 16), torch.tensor([[0]])
    grown = [count_launches(twelve, token, read) for _ in range(2)][-1]
    with attending(twelve, cache.attend):
        equal = count_launches(static_step, twelve, cache, token)
    print(
        f"a token of GPT-2 takes {grown} launches with a growing cache, {equal} with a static one"
    )

# %% [markdown]
r"""
Now at full size, on a CUDA card if there is one; else you see a stored result, and whose it is. `size` may also be `"laptop"` (the stored result) or `"smaller"`: a small GPT of yours, on this processor.
"""

# %% tags=["demo", "unfolded"]
size = "auto"
ways = {
    "generate_cached": lambda model: functools.partial(generate_cached, model),
    "static_writer": lambda model: static_writer(model, writing.ROOM),
}
with solved("GPT2", "Block", "causal_attention", "Cache", "generate_cached"):
    found = writing.speeds(ways, GPT2, GPT2_SMALL, size=size)
    print(found)
    slow, *_, quick = found.rates.values()
    if found.size > 1e8:  # GPT-2
        print(
            f"{1e6 / slow / grown:.0f} µs a launch from Python, {1e6 / quick / equal:.0f} µs played"
        )

# %% [markdown]
r"""
## Exercise 9: two of the five peek

`find_the_leak` · difficulty ●●○ · 7 minutes · 2 points

Five colleagues each send you a language model. Two of the five see the future. You may not read their code (it could be a thousand lines); you may only run the models. `models` maps names to models, each with `model(tokens)` → logits `(B, T, V)` and `model.config`.

`dependency_map(model, tokens, "token", outputs=-1)` exchanges one token at a time for another id (`"token"`), takes the logits at a position, the last axis, as one output (`outputs=-1`), and notes which outputs change *at all*; it also draws fresh weights, so that a path which is closed today and opens in training is found. Its answer has methods: `is_autoregressive(own=True)`, `forbidden(own=True)`, `summary(own=True)`.

*By hand.* Three tokens. In an honest model the logits at $t$ are about token $t + 1$, so they may see token $t$ **itself**:

$$
\begin{pmatrix} 1 & 0 & 0 \\ 1 & 1 & 0 \\ 1 & 1 & 1 \end{pmatrix} \text{ is honest here}, \qquad \text{and with } \texttt{own=False} \text{ each 1 on the diagonal would be called a leak.}
$$

<details><summary>Why not by short texts or gradients?</summary>

A mask may be right for short texts only: test with `n_positions` tokens. A gradient is zero behind a rounding or a closed gate, and the information flows all the same.
</details>
<details><summary>Hint 1</summary>

`tokens = torch.randint(V, (2, n_positions))` is a good start; the model's `config` knows both. Say `vocabulary=V`, too: the map will want other ids.
</details>
<details><summary>Hint 2</summary>

One loop over `models.items()`, one map for each, one question to the map. Return the names that failed it.
</details>
"""

# %% tags=["demo"]
predict(
    "Would the losses of the five untrained models show who peeks?",
    ["yes: peeking is cheaper", "no"],
    answer=1,
    why="A model that can peek does not use it before it is trained.",
)


# %% exercise="find_the_leak"
def find_the_leak(models):
    """The names of the models in `models` (name → model) that see the future: a list."""
    ### BEGIN SOLUTION
    leaky = []
    for name, model in models.items():
        V, length = model.config["vocab_size"], model.config["n_positions"]
        tokens = torch.randint(V, (2, length), generator=torch.Generator().manual_seed(0))
        seen = dependency_map(model, tokens, "token", outputs=-1, vocabulary=V)
        if not seen.is_autoregressive(own=True):
            leaky.append(name)
    return leaky
    ### END SOLUTION


# %% check="find_the_leak" points=2
check(find_the_leak)

# %% tags=["demo"]
with solved("find_the_leak"):
    five = suspects(seed=2)
    print("you accuse", " and ".join(find_the_leak(five)))
    for name, model in five.items():
        tokens = torch.arange(12)[None] % model.config["vocab_size"]
        print(f"{name:<6} {dependency_map(model, tokens, 'token', outputs=-1).summary(own=True)}")
    display(dependency_explorer(five[find_the_leak(five)[0]], tokens))  # give it any model

# %% [markdown]
r"""
### The loss looks perfect

Now watch a leak at work. Two networks of the same size learn letters from Python's own help texts: yours, and yours with an attention that forgot its mask.
"""

# %% tags=["demo"]
predict(
    "Whose validation loss is lower, and who writes better?",
    [
        "the honest one's, and it writes better",
        "the leaky one's, and it writes better",
        "the leaky one's, and the honest one writes better",
    ],
    answer=2,
    why="The validation texts hold the answers as well; in writing the place of the answer is empty.",
)


# %%
def letters(length=32, count=5000):
    """Python's help texts as ids: (training windows, validation windows, the symbols)."""
    text = "\n".join(data.python_help().values())
    symbols = sorted(set(text))
    place = {symbol: i for i, symbol in enumerate(symbols)}
    ids = torch.tensor([place[symbol] for symbol in text])
    starts = torch.linspace(0, len(ids) - length, count + 200).long()
    rows = ids[starts[:, None] + torch.arange(length)]  # (count + 200, length)
    rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))]
    return rows[:count], rows[count:], symbols


def without_mask(q, k, v):
    """Attention over everything, the future too."""
    return torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1) @ v


# %% tags=["demo"]
with solved("GPT2", "Block", "causal_attention", "sequence_nll"):
    train, valid, symbols = letters()
    size = {"vocab_size": len(symbols), "n_positions": 32, "n_embd": 64, "n_layer": 1, "n_head": 4}
    learned, losses = {}, {}
    for name in ("honest", "leaky"):
        torch.manual_seed(0)
        small = GPT2(size)
        sequence_nll(small, train[:1])  # before anything is drawn: are all parts there?
        for block in small.h:
            block.attend = causal_attention if name == "honest" else without_mask
        print(name)
        history = fit(
            small, train, valid, epochs=3, batch_size=32, lr=5e-3, clip=1.0,
            loss=lambda model, x: sequence_nll(model, x) / (x.shape[1] - 1),
        )  # fmt: skip
        learned[name], losses[name] = small, history.best

# %% tags=["demo"]
with solved("GPT2", "Block", "causal_attention", "sequence_nll", "generate"):
    start = torch.tensor([[symbols.index(s) for s in "The statement "]])
    for name, small in learned.items():
        ids = generate(small, start, 120, torch.Generator().manual_seed(3))[0].tolist()
        print(f"{name}: {losses[name]:.3f} nats a letter on text that it has not seen")
        print("".join(symbols[i] for i in ids))
        other = valid.clone()  # letter 20 is exchanged for another
        other[:, 20] = (other[:, 20] + 7) % len(symbols)
        with torch.no_grad():
            follows = (small(other)[:, 19].argmax(-1) == other[:, 20]).float().mean()
        print(f"exchange a letter: in {follows:.0%} of the texts it predicts the new one\n")

# %% [markdown]
r"""
The leaky network *copies*: put another letter one place to the right, and it "predicts" that one. When it has to write, the place is empty. The validation loss did not warn us: the answers stand in the validation set as well.

In lesson 14 such a model compresses a text to nothing, and cannot decode it.

## A question to answer in words

 1. Why can a GPT be *trained* on all $T$ positions of a text in one pass, while it needs $T$ passes to *write* a text of $T$ tokens?
 2. What exactly does the KV cache save, and what does it not save? Why may the keys and values of earlier tokens be kept at all?
 3. GPT-2 has learned position vectors. Why can its cache not slide along with the window? What would have to be different about positions?

A few sentences for each.
"""

# %% [markdown] question="parallel_and_sequential" points=2
r"""
### BEGIN SOLUTION
1. In training all tokens are data: every conditional has its past at hand, and the causal mask keeps the $T$ predictions apart although they are computed together. In writing, token $t$ is the outcome of a draw that conditions all later ones: pass $t + 1$ cannot start before it.
2. It saves computing keys and values of earlier tokens again: $T + N - 1$ tokens are read in place of $TN + N(N-1)/2$. It saves no passes, nor the attention over all kept keys, and it costs memory. It is exact because position $t$ depends on tokens $\le t$ only. (Without the mask it would be wrong.)
3. The vector of a token is wte + wpe[position], so keys and values contain the absolute position. When the window slides, all positions are new, and everything must be computed again. Positions that enter only as *differences* between query and key (relative or rotary encodings) would let keys be kept, up to what deeper layers have mixed in from tokens that dropped out.

Rubric, ½ point each: "the data are known, the mask separates the predictions" and "each draw conditions the next"; what is saved (recomputation, not passes); why keeping is exact (causality); absolute positions inside the keys, with a relative scheme as the way out.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

GPT-2 is the chain rule with one network for all conditionals: attention mixes positions, and a mask of $-\infty$ *before* the softmax keeps each from its future. Logits at $t$ are about token $t + 1$; training scores all of them in one pass, writing takes a pass a token, and a cache of keys and values makes these passes short, since the past never changes. A leak looks like a wonderful loss: measure who sees whom.

## Go further

 - A. Vaswani et al. (2017). *Attention Is All You Need.* NIPS 30. Attention, heads, and the mask in the decoder.
 - A. Radford et al. (2019). *Language Models are Unsupervised Multitask Learners.* OpenAI. GPT-2; table 3 gives the smallest model a perplexity of 29.41 on WikiText-2, without training on it.
 - O. Press, L. Wolf (2017). *Using the Output Embedding to Improve Language Models.* EACL. Tied embeddings.
 - D. Hendrycks, K. Gimpel (2016). *Gaussian Error Linear Units (GELUs).* arXiv 1606.08415. The tanh form.
 - R. Xiong et al. (2020). *On Layer Normalization in the Transformer Architecture.* ICML. Why the norm stands before.
 - J. Su et al. (2021). *RoFormer: Enhanced Transformer with Rotary Position Embedding.* arXiv 2104.09864. Positions as differences.

**Try:** set `NAME = pretrained.GPT2_124M` where there is a network. Appendix A1, *Images as tokens*, lets your `GPT2` draw digits, and measures what its size buys.

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>Why −∞ before the softmax, and not 0 after it?</summary>

Zeros after the softmax leave rows that do not sum to 1, and the denominator still contains the future: a leak.
</details>
<details><summary>What are the logits at position t about, and what may they see?</summary>

Token $t + 1$. They may see tokens up to $t$, that one included.
</details>
<details><summary>What becomes of the keys in a cache when a text grows, and what when the window jumps?</summary>

Nothing: the past does not see the future. After a jump all positions are others, and all keys are computed anew.
</details>
"""
