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
#     name: 13_temperature
#     title: "Temperature: choosing the next token"
#     question: "The model has told you the probability of every next token. Which one do you take?"
#     minutes: 130
#     prerequisites: [02_chain_rule, 06_kl]
# ---

# %%
import functools
import itertools
import math

import matplotlib.pyplot as plt
import torch
from IPython.display import display

from autograder import check
from course import pretrained
from course.demo import solved
from course.picture import show
from course.progress import tqdm
from figures.next_token import NextToken
from figures.predict import predict

# %% [markdown]
r"""
## One model, many writers

A language model does not write. It answers one question: *given these tokens, how probable is each next one?* Somebody has to take a token, append it and ask again, and **how** they take it decides what the same model writes.

The bars below are what a small GPT, trained on Shakespeare, holds likely after a prompt. Three sliders change them, and this lesson builds all three.

**Move the temperature** $T$ to 0.3, then to 3. How probable is the likeliest token?
"""

# %% tags=["demo"]
gpt = pretrained.language_model(pretrained.SMALL)  # or pretrained.GPT2_124M: 548 MB, once
PROMPT = "My lord, I"
prompt = torch.tensor([gpt.encode(PROMPT)])  # (1, t)
with torch.no_grad():
    next_logits = gpt.logits(prompt)[0, -1]  # (V,): one number for each token that may come next
labels = [gpt.decode([token]) for token in range(gpt.vocab_size)]
NextToken(next_logits, labels, prompt=PROMPT)

# %% [markdown]
r"""
A low temperature feeds the largest bar, and the entropy falls towards 0; a high one levels all bars. The two other sliders:

 1. Back to $T = 1$. Move **top-k** to 5. How much probability is thrown away?
 2. Back to *all*. Move **top-p** to 0.5. How many tokens are left? Now raise $T$ to 2, and look again.

<details><summary>Answers</summary>

1. See *mass kept*. The five bars grow: what is left must sum to 1.
2. Top-p keeps the *fewest* tokens that hold half of the probability: at $T = 2$ it takes more of them.
</details>

## Exercise 1: temperature

`temperature` · difficulty ●○○ · 8 minutes · 3 points

Divide the **logits** by $T > 0$ before the softmax:

$$p_T(v) = \frac{e^{z_v / T}}{\sum_u e^{z_u / T}} \;\propto\; p(v)^{1/T}.$$

The second form says what happens: each probability is raised to the power $1/T$, and the whole is normalized again.

*By hand.* $p = (0.6, 0.3, 0.1)$, that is $z = (\ln 6, \ln 3, 0)$ or any shift of it.

| $T$ | $p^{1/T}$ | sum | $p_T$ |
|---|---|---|---|
| 1 | 0.6, 0.3, 0.1 | 1 | (0.6, 0.3, 0.1) |
| 0.5 | 0.36, 0.09, 0.01 | 0.46 | (0.7826, 0.1957, 0.0217) |
| 2 | 0.7746, 0.5477, 0.3162 | 1.6385 | (0.4727, 0.3343, 0.1930) |

As $T \to 0$ all the probability goes to the largest logit, and tokens that tie for it share it evenly.
$T = 0$ divides by zero, and a negative $T$ would prefer the worst token: refuse both, `raise ValueError(f"T must be positive: got {T}")`. And mind the size of the numbers: at $T = 10^{-4}$ a logit of 30 becomes 300,000, and $e^{300000}$ is no number a computer has.

<details><summary>Hint 1</summary>

Which shift of the logits changes nothing in the softmax, and makes the largest exponent 0? (`torch.softmax` does it for you.)
</details>
<details><summary>Hint 2</summary>

The vocabulary is the *last* axis: `dim=-1` serves one vector and a batch alike. Make a new tensor; `logits /= T` would change the caller's.
</details>
"""

# %% tags=["demo"]
predict(
    "As T → ∞: what becomes of a token whose logit is −∞?",
    ["it gets as much as all others", "it stays impossible", "it gets half as much"],
    answer=1,
    why="It has exp(−∞) = 0 at every temperature; all POSSIBLE tokens get the same.",
)


# %% exercise="temperature"
def temperature(logits, T):
    """Probabilities (…, V) at temperature T, from logits (…, V) that may hold −inf.

    ValueError unless T > 0.
    """
    ### BEGIN SOLUTION
    if not T > 0:
        raise ValueError(f"T must be positive: got {T}")
    return torch.softmax(logits / T, dim=-1)
    ### END SOLUTION


# %% check="temperature" points=3
check(temperature)

# %% [markdown]
r"""
### Is that so?

> "Temperature: rescale logits/probabilities by $1/T$."

Logits *or* probabilities?
"""

# %% tags=["demo"]
predict(
    "The probabilities (0.6, 0.3, 0.1) are divided by T = 0.5 and normalized again. What comes out?",
    ["(0.78, 0.20, 0.02)", "(0.6, 0.3, 0.1)", "(0.47, 0.33, 0.19)"],
    answer=1,
    why="The number by which all are divided cancels.",
)


# %% tags=["demo"]
def in_words(q):
    return "(" + ", ".join(f"{v:.4f}" for v in q) + ")"


p = torch.tensor([0.6, 0.3, 0.1])
with solved("temperature"):
    print("T on the logits                  ", in_words(temperature(p.log(), 0.5)))
    print("p / T, normalized                ", in_words((p / 0.5) / (p / 0.5).sum()))
    print("p taken for logits, then tempered", in_words(temperature(p, 0.5)))

# %% [markdown]
r"""
Dividing probabilities by a number and normalizing does *nothing*: the number cancels. Probabilities taken for logits lie between 0 and 1, so the results differ by a factor of at most $e^{1/T}$, whatever the model said. The sentence is true of logits only.

## Exercise 2: cutting the tail

Each of a thousand bad tokens may be improbable and all of them together are not: if the tail holds 5 %, a text of 50 tokens falls into it $1 - 0.95^{50} = 92\,\%$ of the time. So cut the tail off before you draw.

### Part A

`top_k` · difficulty ●●○ · 8 minutes · 2 points

Keep the $k$ most probable tokens, give all others 0, and **normalize** what is left (Fan, Lewis and Dauphin 2018 wrote stories so).

*By hand.* $p = (0.5, 0.25, 0.125, 0.125)$. With $k = 2$: $0.75$ is left, and $p' = (\tfrac23, \tfrac13, 0, 0)$. With $k = 3$ the last two tie for the third place. Exactly three are kept here, and the lower index wins: $p' = (\tfrac47, \tfrac27, \tfrac17, 0)$. With $k = 10$ all are kept.

<details><summary>Hint 1</summary>

`probs.argsort(dim=-1, descending=True, stable=True)` lists the tokens from best to worst; `stable=True` keeps tied ones in the order of their indices, which `torch.topk` does not promise.
</details>
<details><summary>Hint 2</summary>

For rows of a batch, `mask.scatter(-1, chosen, 1.0)` writes a 1 at the indices `chosen` of each row.
</details>
"""

# %% tags=["demo"]
predict(
    "A colleague keeps “everything that is at least as large as the third largest”. How many tokens of the example are kept for k = 3?",
    ["two", "three", "four"],
    answer=2,
    why="A threshold cannot tell tied tokens apart.",
)


# %% exercise="top_k"
def top_k(probs, k):
    """Probabilities (…, V) with the k most probable tokens of each row kept, normalized.

    Exactly k are kept: of tied tokens those with the lowest index. k ≥ V keeps all. ValueError unless k ≥ 1.
    """
    ### BEGIN SOLUTION
    if k < 1:
        raise ValueError(f"k must be at least 1: got {k}")
    order = probs.argsort(dim=-1, descending=True, stable=True)
    kept = probs * torch.zeros_like(probs).scatter(-1, order[..., :k], 1.0)
    return kept / kept.sum(dim=-1, keepdim=True)
    ### END SOLUTION


# %% check="top_k" points=2
check(top_k)

# %% [markdown]
r"""
### Part B

`top_p` · difficulty ●●● · 12 minutes · 3 points

After "To be or not to" there is one good token; after "My name is" there are hundreds. No $k$ suits both. Holtzman, Buys, Du, Forbes and Choi (2020) keep a *mass* instead of a number: the **smallest set** of tokens that holds at least $p$, called the nucleus.

Go from the most probable token down, and stop as soon as the sum reaches $p$. The token that **crosses** the line is in: without it the mass would be too small.

*By hand*, $(0.5, 0.25, 0.125, 0.125)$ again:

| $p$ | sums on the way | kept |
|---|---|---|
| 0.3 | 0.5 | the first token: one is always kept |
| 0.7 | 0.5, 0.75 | two |
| 0.75 | 0.5, 0.75 | two: the mass is *at least* 0.75 already |
| 0.8 | 0.5, 0.75, 0.875 | three: of the tied ones, the lower index |
| 1 | all | all, however small |

A way to say it with one comparison: a token is kept if the mass **before** it is still less than $p$.

Take care of $p = 1$: in 32 bits a sum of many numbers may reach 1 before the last tokens are counted. "Keep all" needs no sum.

<details><summary>Hint 1</summary>

`ranked, order = probs.sort(dim=-1, descending=True, stable=True)`. What is the mass *before* each ranked token, if `ranked.cumsum(-1)` is the mass up to and with it?
</details>
<details><summary>Hint 2</summary>

The comparison is made in ranked order, the answer is wanted in the vocabulary's: `scatter(-1, order, …)` puts each ranked entry back where it came from.
</details>
"""

# %% tags=["demo"]
predict(
    "And by “the sum up to and with it is at most p”: how many are kept for p = 0.3?",
    ["none", "one", "two"],
    answer=0,
    why="The first sum is 0.5 already. Then 0/0.",
)


# %% exercise="top_p"
def top_p(probs, p):
    """Probabilities (…, V) with the smallest set of mass ≥ p of each row kept, normalized.

    The most probable tokens come first, of tied ones those with the lowest index; p = 1 keeps all. ValueError unless
    0 < p ≤ 1.
    """
    ### BEGIN SOLUTION
    if not 0 < p <= 1:
        raise ValueError(f"p must be in (0, 1]: got {p}")
    if p == 1:
        return probs / probs.sum(dim=-1, keepdim=True)
    ranked, order = probs.sort(dim=-1, descending=True, stable=True)
    before = ranked.cumsum(dim=-1) - ranked
    kept = torch.zeros_like(probs).scatter(-1, order, ranked * (before < p))
    return kept / kept.sum(dim=-1, keepdim=True)
    ### END SOLUTION


# %% check="top_p" points=3
check(top_p)

# %% [markdown]
r"""
### Part C: in which order?

`next_probs` · difficulty ●○○ · 5 minutes · 2 points

All three at once: but does it matter which comes first? Take $p = (0.4, 0.3, 0.2, 0.1)$.

<details><summary>Two orders that differ, worked out</summary>

1. Temperature and top-p. With $T = 2$ and $p = 0.65$: cut first, and $0.4 + 0.3$ is enough, two tokens. Temper first, and the four become 0.3254, 0.2818, 0.2301, 0.1627: now two hold only 0.6072, and three are kept.
2. Top-k and top-p. With $k = 3$ and $p = 0.75$: top-k first leaves 0.4444, 0.3333, 0.2222, of which two hold 0.7778. Top-p first needs $0.4 + 0.3 + 0.2$, three.
</details>

Here the order is **temperature, then top-k, then top-p, each on normalized probabilities**: what Hugging Face's `generate` does too.

<details><summary>Hint 1</summary>

Three calls of functions that you have.
</details>
<details><summary>Hint 2</summary>

`k=None` means no top-k. `T=1.0` and `p=1.0` need no `if`: your functions change nothing there.
</details>
"""

# %% tags=["demo"]
predict(
    "Which two may change places without any change of the result?",
    ["temperature and top-k", "temperature and top-p", "top-k and top-p", "none"],
    answer=0,
    why="A temperature keeps the ranking, so the same k survive, and powers and normalizing do not mind the order.",
)


# %% exercise="next_probs"
def next_probs(logits, T=1.0, k=None, p=1.0):
    """The distribution (…, V) to draw the next token from: temperature, then top-k, then top-p.

    k = None leaves top-k out.
    """
    ### BEGIN SOLUTION
    probs = temperature(logits, T)
    if k is not None:
        probs = top_k(probs, k)
    return top_p(probs, p)
    ### END SOLUTION


# %% check="next_probs" points=2
check(next_probs)

# %% [markdown]
r"""
### Look at your own

The bars are the browser's arithmetic; the diamonds are **your** `next_probs`, at every position of the sliders. Below are texts that your function has drawn: press *Write*. Text *here* is written anew wherever you move a slider, always with the same luck.
"""


# %%
def after(prompt):
    """A `step`: prefixes (B, t) of tokens that follow the prompt → log p(next | prompt, prefix), (B, V)."""

    def step(prefixes):
        tokens = torch.cat([prompt.expand(len(prefixes), -1), prefixes], dim=1)
        with torch.no_grad():
            return gpt.logits(tokens[:, -gpt.context :])[:, -1].log_softmax(dim=-1)

    return step


def write(step, rule, count, length, generator):
    """Draws `count` continuations (count, length), each token from rule(log-probabilities)."""
    tokens = torch.zeros(count, 0, dtype=torch.long)
    for _ in range(length):
        drawn = torch.multinomial(rule(step(tokens)), 1, generator=generator)
        tokens = torch.cat([tokens, drawn], dim=1)
    return tokens


LUCK = torch.rand(12, generator=torch.Generator().manual_seed(4))


@functools.lru_cache(maxsize=1000)
def row_after(model, tokens):
    """Logits (V,) after a tuple of tokens; asked once, for texts of near settings begin alike."""
    return model.logits(torch.tensor([tokens]))[0, -1]


def write_here(T, k, p):
    """12 tokens after the prompt, and their bits; the same luck for every setting."""
    tokens, bits = tuple(prompt[0].tolist()), []
    for u in LUCK:
        z = row_after(gpt, tokens)
        sums = next_probs(z, T, k, p).cumsum(0)
        token = int((sums <= u * sums[-1]).sum().clamp(max=len(z) - 1))
        bits.append(-float(z.log_softmax(0)[token]) / math.log(2))
        tokens += (token,)
    return [labels[i] for i in tokens[prompt.shape[1] :]], bits


# %% tags=["demo"]
with solved("temperature", "top_k", "top_p", "next_probs"):
    rules = {
        "T = 0.3": {"T": 0.3},
        "T = 1": {"T": 1.0},
        "T = 1, top-p 0.9": {"p": 0.9},
        "T = 1.7": {"T": 1.7},
    }
    texts, random = {}, torch.Generator().manual_seed(1)
    for name, settings in rules.items():
        drawn = write(after(prompt), lambda z, s=settings: next_probs(z, **s), 1, 60, random)[0]
        with torch.no_grad():
            logits = gpt.logits(torch.cat([prompt[0], drawn])[None, :-1])[0, -len(drawn) :]
        surprise = -logits.log_softmax(-1).gather(1, drawn[:, None])[:, 0] / math.log(2)
        texts[name] = ([labels[i] for i in drawn], surprise)

    picture = NextToken.of(next_probs, next_logits, labels, prompt=PROMPT, texts=texts)
    picture.rewrite("here", write_here)
    display(picture)

# %% [markdown]
r"""
## Exercise 3: the most probable text

Why draw at all? One could ask for the single most probable continuation, $\arg\max_x p(x_1, \dots, x_n)$. There are $V^n$ of them, so one searches. All searches here talk to a model through one function:

> `step(prefixes)`: token ids `(B, t)`, int64 → $\log p(\text{next} \mid \text{prefix})$, `(B, V)`. At the start $t = 0$.

The smallest model worth searching has two tokens and two steps:
"""

# %%
FIRST = torch.tensor([0.6, 0.4])  # p(x1)
SECOND = torch.tensor([[0.5, 0.5], [0.9, 0.1]])  # p(x2 | x1), a row for each x1


def tree(prefixes):
    """log p(next | prefix) of the two-step tree: prefixes (B, t), t ≤ 1 → (B, 2)."""
    if prefixes.shape[1] == 0:
        return FIRST.log().expand(len(prefixes), -1)
    return SECOND.log()[prefixes[:, 0]]


for x1, x2 in itertools.product(range(2), repeat=2):
    print(
        f"p({x1}, {x2}) = {FIRST[x1]:.1f} · {SECOND[x1, x2]:.1f} = {FIRST[x1] * SECOND[x1, x2]:.2f}"
    )

# %% [markdown]
r"""
### Part A

`greedy` · difficulty ●○○ · 5 minutes · 1 point

Take the most probable token, append it, ask again.

*By hand*, on the tree: 0 has 0.6, take it. After 0 both have 0.5: take the lower index, 0. The text $(0, 0)$ has probability $0.6 \cdot 0.5 = 0.30$, and $\ln 0.30 = -1.2040$.

<details><summary>Hint 1</summary>

Start with `tokens = torch.zeros(1, 0, dtype=torch.long)`: one prefix of length 0. `torch.cat` along `dim=1` appends to it.
</details>
<details><summary>Hint 2</summary>

The log-probability of a text is the sum of the chosen tokens' log-probabilities (the chain rule, in logs).
</details>
"""

# %% tags=["demo"]
predict(
    "Is there a more probable text than (0, 0)?",
    ["no", "(0, 1)", "(1, 0)"],
    answer=2,
    why="0.4 · 0.9 = 0.36.",
)


# %% exercise="greedy"
def greedy(step, length):
    """The text that takes the most probable token at each step: (tokens (length,) int64, its log-probability in nats).

    Of tied tokens the lowest index is taken.
    """
    ### BEGIN SOLUTION
    tokens, total = torch.zeros(1, 0, dtype=torch.long), 0.0
    for _ in range(length):
        best = step(tokens)[0].max(dim=0)
        tokens = torch.cat([tokens, best.indices.view(1, 1)], dim=1)
        total += float(best.values)
    return tokens[0], total
    ### END SOLUTION


# %% check="greedy" points=1
check(greedy)

# %% [markdown]
r"""
### Part B

`beam_search` · difficulty ●●● · 15 minutes · 4 points

Greedy found 0.30; $(1, 0)$ has $0.36$: the first step decided for a token whose future is uncertain.

**Beam search** keeps the best $w$ *prefixes* instead of one (Lowerre's thesis, Carnegie Mellon 1976, did so for speech). A step:

 1. extend each kept prefix by each of the $V$ tokens;
 2. score each: the prefix's log-probability plus the new token's;
 3. keep the best $w$ **of all of them together**, whichever prefixes they grew from.

*By hand*, $w = 2$ on the tree. Start: the empty prefix, with $\log 1 = 0$. Step 1: 0 with $\ln 0.6 = -0.51$, and 1 with $\ln 0.4 = -0.92$. Both are kept. Step 2:

| | $x_2 = 0$ | $x_2 = 1$ |
|---|---|---|
| from 0 | $-0.51 - 0.69 = -1.20$ | $-0.51 - 0.69 = -1.20$ |
| from 1 | $-0.92 - 0.11 = \mathbf{-1.02}$ | $-0.92 - 2.30 = -3.22$ |

The best is $(1, 0)$, with $e^{-1.02} = 0.36$.

Why sums of logs? A text of 400 tokens with 0.1 each has probability $10^{-400}$, which a computer rounds to 0. Its logarithm is $-921$.

<details><summary>Hint 1</summary>

Start with *one* empty prefix: tokens of shape `(1, 0)` and scores of shape `(1,)`. With $w$ copies of it at the start, the beams would stay copies of each other.
</details>
<details><summary>Hint 2</summary>

`(scores[:, None] + step(tokens)).flatten()` has an entry for each prefix and token. From a place `i` in it, `i // V` is the prefix and `i % V` the token. `torch.topk` finds the best places; keep fewer than `width` while there are fewer.
</details>
"""

# %% tags=["demo"]
predict(
    "Which w is sure to find the most probable of all texts of length n over V tokens?",
    ["n", "V", "V to the power n − 1"],
    answer=2,
    why="Then nothing is thrown away before the last step: beam search is exhaustive search, and asks about all these prefixes.",
)


# %% exercise="beam_search"
def beam_search(step, width, length):
    """The best texts found with `width` prefixes kept: (tokens (w, length) int64, log-probabilities (w,)), best first.

    w = width, or the number of all texts where there are fewer.
    """
    ### BEGIN SOLUTION
    tokens, scores = torch.zeros(1, 0, dtype=torch.long), torch.zeros(1)
    for _ in range(length):
        total = scores[:, None] + step(tokens)  # (w, V)
        scores, place = total.flatten().topk(min(width, total.numel()))
        parent, token = place // total.shape[1], place % total.shape[1]
        tokens = torch.cat([tokens[parent], token[:, None]], dim=1)
    return tokens, scores
    ### END SOLUTION


# %% check="beam_search" points=4
check(beam_search)

# %% [markdown]
r"""
### Is that so?

> "Beam search returns the highest-scoring complete sequence."

It returns the best that it *found*. Below are 500 random models with 3 tokens and 6 steps. For each one, all $3^6 = 729$ texts are compared. How often does greedy find the best, and how often a beam of 4?
"""


# %%
def random_model(V, length, generator):
    """A `step` with probabilities of its own after each prefix, up to `length` tokens."""
    tables = [
        torch.randn(V**t, V, generator=generator).mul(1.5).log_softmax(1) for t in range(length)
    ]

    def step(prefixes):
        t = prefixes.shape[1]
        place = (prefixes * V ** torch.arange(t - 1, -1, -1)).sum(
            dim=1
        )  # the prefix, read as a number
        return tables[t][place]

    return step


# %% tags=["demo"]
with solved("greedy", "beam_search"):
    widths, found, random = (1, 2, 4, 8, 16), {}, torch.Generator().manual_seed(3)
    worse = 0
    for _ in range(500):
        step = random_model(3, 6, random)
        best = beam_search(step, 3**5, 6)[1][0]
        ends = [beam_search(step, width, 6)[1][0] for width in widths]
        worse += int(ends[1] < ends[0] - 1e-4)
        for width, end in zip(widths, ends, strict=True):
            found[width] = found.get(width, 0) + int(end > best - 1e-4)
        found["greedy"] = found.get("greedy", 0) + int(greedy(step, 6)[1] > best - 1e-4)
    for name, count in found.items():
        print(
            f"{'greedy' if name == 'greedy' else f'beam of {name}':>10}: the best text in {count} of 500 models"
        )
    print(f"a beam of 2 ends with a less probable text than a beam of 1: {worse} times")

# %% [markdown]
r"""
A beam of 1 is greedy. More width misses less often, and is no guarantee until it is everything. It can even be **worse**. A model of three steps: 0 or 1 first, with 0.55 and 0.45. After 0 three even tokens, and then a sure one; after 1 two even tokens, and then three even ones.
"""

# %% tags=["demo"]
predict(
    "Which beam finds the least probable text?",
    ["1", "2", "3"],
    answer=1,
    why="After two steps, two prefixes that begin with 1 push out the one with the sure future.",
)


# %%
def trap(prefixes):
    """log p(next | prefix) of a model in which a beam of 2 loses: prefixes (B, t), t ≤ 2 → (B, 3)."""
    even, two, sure = [1 / 3] * 3, [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]
    if prefixes.shape[1] == 0:
        return torch.tensor([[0.55, 0.45, 0.0]]).log().expand(len(prefixes), -1)
    then = (even, two) if prefixes.shape[1] == 1 else (sure, even)
    return torch.tensor([then[int(x1 > 0)] for x1 in prefixes[:, 0]]).log()


# %% tags=["demo"]
with solved("beam_search"):
    for width in (1, 2, 3):
        found, scores = beam_search(trap, width, 3)
        print(f"beam of {width}: {tuple(found[0].tolist())}, probability {scores[0].exp():.4f}")

# %% [markdown]
r"""
After two steps the prefixes of 0 hold 0.183 each, those of 1 hold 0.225: two of these push out the one with the sure future. (Draw instead of cut: with Gumbel noise on the scores a beam of $w$ is a sample of $w$ texts without repetition, a *stochastic beam*: Kool, van Hoof and Welling 2019.)

> "The closer to the most probable text, the better the text."

That one needs a ruler first.

## Exercise 4: a ruler

`score` · difficulty ●○○ · 6 minutes · 2 points

A model that gives token $x_t$ the probability $p_t$ is *surprised* by $-\log_2 p_t$ bits. The average over a text is its **bits per token**; 2 to that power is the **perplexity**, the number of equally likely tokens that would surprise as much, the *branching factor* of the text:

$$\mathrm{BPT} = -\frac1n \sum_{t=1}^{n} \log_2 p_t, \qquad \mathrm{PP} = 2^{\mathrm{BPT}} = e^{\text{average NLL in nats}}.$$

*By hand.* Four tokens had the probabilities $\tfrac12, \tfrac14, \tfrac18, \tfrac18$: surprises of 1, 2, 3 and 3 bits, 2.25 bits per token, perplexity $2^{2.25} = 4.757$. Texts of **different lengths** compare by it. (Raw sums let texts win that end early.)

<details><summary>Hint 1</summary>

`logits.log_softmax(dim=-1)` are the log-probabilities in nats, (n, V). `gather(1, tokens[:, None])` takes one of each row.
</details>
<details><summary>Hint 2</summary>

A nat is $1/\ln 2 = 1.4427$ bits. The average is taken of the *logarithms*; the average of the probabilities is something else.
</details>
"""

# %% tags=["demo"]
predict(
    "Which perplexity has a model that is always right and sure?",
    ["0", "1", "V"],
    answer=1,
    why="One that gives each of V tokens the same has V.",
)


# %% exercise="score"
def score(logits, tokens):
    """(bits per token, perplexity) of a text, two floats.

    logits (n, V): row t is what the model said before it saw tokens[t]; tokens (n,) int64.
    """
    ### BEGIN SOLUTION
    nats = -logits.log_softmax(dim=-1).gather(1, tokens[:, None]).mean().item()
    return nats / math.log(2), math.exp(nats)
    ### END SOLUTION


# %% check="score" points=2
check(score)

# %% [markdown]
r"""
## The text people write

Now the experiment. From a page that the model never saw, take ten places; the 8 tokens there are the prompt, the 48 after them are what the **author** wrote. Let every recipe write 48 tokens after the same prompts, and hold the ruler to all of them. The second number is the share of 4-grams that stood in the same text before.
"""

# %% tags=["demo"]
predict(
    "Whose text surprises the model least per token?",
    ["the author's", "what plain sampling at T = 1 draws", "what greedy takes"],
    answer=2,
    why="And it repeats itself most: the cells below measure both.",
)


# %%
def repeated(texts, n=4):
    """The share of n-grams that stood in the same text (B, t) before, averaged over the texts."""
    shares = []
    for row in texts.tolist():
        grams = [tuple(row[i : i + n]) for i in range(len(row) - n + 1)]
        shares.append(1 - len(set(grams)) / len(grams))
    return sum(shares) / len(shares)


def measure(prompts, texts):
    """(bits per token, its standard error over texts, share of repeated 4-grams) of texts (B, t)."""
    with torch.no_grad():
        logits = gpt.logits(torch.cat([prompts, texts], dim=1)[:, :-1])[:, -texts.shape[1] :]
    bits = torch.tensor([score(z, x)[0] for z, x in zip(logits, texts, strict=True)])
    return bits.mean().item(), bits.std().item() / math.sqrt(len(bits)), repeated(texts)


# %% tags=["demo"]
COUNT, BEFORE, LENGTH = 10, 8, 48
page = torch.tensor(gpt.encode(pretrained.held_out()))
starts = torch.linspace(0, len(page) - BEFORE - LENGTH, COUNT).long()
places = torch.stack([page[s : s + BEFORE + LENGTH] for s in starts])
prompts, author = places[:, :BEFORE], places[:, BEFORE:]
recipes = {f"T = {T}": {"T": T} for T in (0.5, 1.0, 1.3)} | {
    "top-k 40": {"k": 40},
    "top-p 0.9": {"p": 0.9},
}
with solved("temperature", "top_k", "top_p", "next_probs", "greedy", "beam_search", "score"):
    seen = {"the author": measure(prompts, author)}
    random = torch.Generator().manual_seed(7)
    for name, recipe in tqdm(recipes.items(), desc="writing"):
        texts = write(after(prompts), lambda z, r=recipe: next_probs(z, **r), COUNT, LENGTH, random)
        seen[name] = measure(prompts, texts)
    some, few = prompts[::2], prompts[::4]  # a beam of 4 is as much work as four texts
    dull = torch.stack([greedy(after(one[None]), LENGTH)[0] for one in some])
    beamed = torch.stack([beam_search(after(one[None]), 4, LENGTH)[0][0] for one in few])
    seen |= {"greedy": measure(some, dull), "beam of 4": measure(few, beamed)}
    for name, (bits, error, again) in seen.items():
        print(
            f"{name:>10}: {bits:5.2f} ± {error:.2f} bits a token, {again:5.1%} of the 4-grams repeated"
        )

# %% tags=["demo"]
with solved("temperature", "next_probs", "greedy", "beam_search", "score"):
    looks = {  # marker, and where the name stands beside it
        "the author": ("*", (-2, 10)),
        "greedy": ("s", (8, -4)),
        "beam of 4": ("D", (8, -4)),
        "top-k 40": ("^", (-24, -16)),
        "top-p 0.9": ("v", (-4, 8)),
    }
    fig, ax = plt.subplots(figsize=(5.8, 3.4), constrained_layout=True)
    for name, (bits, _, again) in seen.items():
        marker, where = looks.get(name, ("o", (-14, -16)))
        ax.plot(bits, again, marker, color="black" if name in looks else "#0072B2")
        ax.annotate(name, (bits, again), xytext=where, textcoords="offset points")
    ax.margins(x=0.1, y=0.2)
    ax.set(xlabel="bits a token", ylabel="share of repeated 4-grams")
    show(
        fig,
        "Repeated 4-grams against bits a token. Greedy and the beam stand at the upper left, with few bits and many "
        "repeats; the author and the texts drawn near T = 1 at the lower right.",
    )
    print("greedy:   ", repr(gpt.decode(dull[0])))
    print("beam of 4:", repr(gpt.decode(beamed[0])))

# %% [markdown]
r"""
The searched texts surprise the model *much* less than what a person wrote, and they go round in circles. Holtzman and colleagues (2020) found the same in large models, and called it degeneration. So: **human text is not the most probable, it is typical**, as surprising, on average, as its source.

### Is the model as sure as it should be?

A model is **calibrated** if what it gives 70 % happens 70 times in 100 (Dawid 1982; for networks Guo, Pleiss, Sun and Weinberger 2017). To find out, read: ask for the next token after every prefix that the *author* wrote. The author's token surprises the model by the NLL; the model *expects* to be surprised by its entropy, $H(p) = -\sum_v p_v \ln p_v$. On average the two are equal if the model is calibrated. An NLL above the entropy says that it is too sure: their difference is the slope of the NLL in $1/T$ at $T = 1$, so a somewhat larger $T$ lowers it.
"""

# %% tags=["demo"]
predict(
    "The small GPT, on a page that it has never read:",
    ["too sure: T > 1 mends it", "too modest: T < 1 mends it", "calibrated: T = 1 is best"],
    answer=0,
    why="The author surprises it more than it expects. The cells below measure by how much.",
)


# %%
def asked_of(tokens, length=128):
    """The model's logits (N, V) for each token of a page, and these tokens (N,); rows begin anew."""
    rows = tokens[: len(tokens) // length * length].view(-1, length)
    read = torch.cat([torch.full((len(rows), 1), gpt.end), rows[:, :-1]], dim=1)
    with torch.no_grad():
        return gpt.logits(read).flatten(0, 1), rows.flatten()


def prices(probs, tokens):
    """−ln of the probability of each token: (N,)."""
    return -probs.gather(1, tokens[:, None])[:, 0].log()


# %% tags=["demo"]
valid, test = asked_of(page[: len(page) // 2]), asked_of(page[len(page) // 2 :])
with solved("temperature"):
    logits, tokens = valid
    probs = temperature(logits, 1.0)
    entropy = torch.special.entr(probs).sum(dim=1)
    gaps = prices(probs, tokens) - entropy
    print(f"NLL {prices(probs, tokens).mean():.2f} nats a token, entropy {entropy.mean():.2f}")
    print(f"too sure by {gaps.mean():.2f} ± {gaps.std() / math.sqrt(len(gaps)):.2f} nats")
    rare = probs < 1e-3
    came = rare.gather(1, tokens[:, None]).double().mean()
    print(f"tokens that it gives less than 0.001: it expects {(probs * rare).sum(1).mean():.1%} of")
    print(f"what comes to be among them, and {came:.1%} is")
    sure, best = probs.max(dim=1)
    right = (best == tokens).float()
    bins = sure.argsort().chunk(6)  # as many tokens in each
    told, came = ([float(x[b].mean()) for b in bins] for x in (sure, right))
    errors = [2 * float(right[b].std()) / math.sqrt(len(b)) for b in bins]
    fig, ax = plt.subplots(figsize=(4, 3.4), constrained_layout=True)
    ax.plot([0, 1], [0, 1], "--", color="gray", label="calibrated")
    ax.errorbar(told, came, errors, marker="o", color="#0072B2", label="the small GPT")
    ax.set(xlabel="probability of the best token", ylabel="how often it came")
    ax.legend()
    points = ", ".join(f"{t:.2f}: {c:.2f}" for t, c in zip(told, came, strict=True))
    show(
        fig, f"A reliability diagram: how often the best token came, by its probability ({points})."
    )

# %% [markdown]
r"""
The best token alone looks nearly calibrated. It is the tail that is not: what the model holds for next to impossible comes too often. Now choose $T$ by the least NLL, on the first half of the page. The second half is **asked once**, at the end.
"""

# %% tags=["demo"]
with solved("temperature"):
    grid = [0.8 + 0.05 * i for i in range(13)]
    nll = [float(prices(temperature(valid[0], T), valid[1]).mean()) for T in grid]
    chosen = grid[nll.index(min(nll))]
    print(f"validation: NLL {nll[4]:.4f} at T = 1, {min(nll):.4f} at T = {chosen:.2f}, the best")
    saved = prices(temperature(test[0], 1.0), test[1]) - prices(
        temperature(test[0], chosen), test[1]
    )
    error = saved.std() / math.sqrt(len(saved))
    print(f"test, once: T = {chosen:.2f} saves {saved.mean():.4f} ± {error:.4f} nats a token")

# %% [markdown]
r"""
The gain is small, and the test half alone could not tell it from chance.

**A number to beat**, on the validation half: the NLL of the best $T$. Beat it by *any* change after which probabilities sum to 1: another $T$ where the model is sure, a small share for every token.
"""


# %% tags=["demo", "unfolded"]
def mine(logits):
    """Your probabilities (N, V)."""
    return temperature(logits, 1.0)  # change this


with solved("temperature"):
    own = float(prices(mine(valid[0]), valid[1]).mean())
    print(
        f"to beat {min(nll):.4f}; yours {own:.4f} nats a token: {'beaten' if own < min(nll) else 'not yet'}"
    )

# %% [markdown]
r"""
## Exercise 5: what does a temperature do to a whole text?

"At $T = 0.5$ the probabilities are squared." Whose? Squaring the probability of **whole texts** is one thing:

$$p_T(x) = \frac{p(x)^{1/T}}{\sum_{x'} p(x')^{1/T}}.$$

Tempering **each token**, as everybody does, is another: $\prod_t p_T(x_t \mid x_{<t})$. Are they the same?

### Part A

`joint_temperature` · difficulty ●○○ · 5 minutes · 2 points

The first way, on a table of all texts: one axis for each step, `p[x1, x2, …]`.

*By hand.* The tree's texts have 0.30, 0.30, 0.36, 0.04. At $T = 0.5$: squares 0.0900, 0.0900, 0.1296, 0.0016, sum 0.3112, so

$$p_T = (0.2892,\ 0.2892,\ 0.4165,\ 0.0051).$$

Mind small numbers again: $10^{-5}$ at $T = 0.01$ is $10^{-500}$. Which form of exercise 1 has no such trouble?

<details><summary>Hint 1</summary>

A table of texts is a vocabulary whose "tokens" are whole texts. The logits of a distribution are its logarithms; $\log 0 = -\infty$ is welcome.
</details>
<details><summary>Hint 2</summary>

`p.flatten()` makes one axis of many, `.view(p.shape)` gives the shape back.
</details>
"""

# %% tags=["demo"]
predict(
    "What is left of p_T as T → 0?",
    ["(0, 0): greedy's text", "(1, 0) alone", "the two with 0.30"],
    answer=1,
    why="The text with 0.36, which an exhaustive search finds.",
)


# %% exercise="joint_temperature"
def joint_temperature(p, T):
    """The table p (k1, …, kn) of whole texts at temperature T: p^(1/T), normalized over all entries."""
    ### BEGIN SOLUTION
    return torch.softmax(p.log().flatten() / T, dim=0).view(p.shape)
    ### END SOLUTION


# %% check="joint_temperature" points=2
check(joint_temperature)

# %% [markdown]
r"""
### Part B

`tokenwise_temperature` · difficulty ●●○ · 10 minutes · 3 points

The second way, exactly and without drawing anything: which table of texts does one get by tempering **every** conditional, the first one too, and multiplying?

$$q(x) = \prod_{t=1}^n \frac{p(x_t \mid x_{<t})^{1/T}}{\sum_v p(v \mid x_{<t})^{1/T}}.$$

*By hand.* The tree at $T = 0.5$. First token: $0.36, 0.16$, normalized $0.6923, 0.3077$. After 0: $0.5, 0.5$ as before. After 1: $0.81, 0.01$, normalized $0.9878, 0.0122$. So

$$q = (0.3462,\ 0.3462,\ 0.3039,\ 0.0038).$$

The total variation distance, half the sum of the absolute differences, is $\mathrm{TV}(p_T, q) = 0.1139$: in 11 of 100 texts, sampling token by token does something else. And as $T \to 0$ what is left is a text that greedy would take, not the most probable one.

<details><summary>Hint 1</summary>

The marginal $p(x_1, \dots, x_t)$ is `p` summed over all later axes; divided by $p(x_1, \dots, x_{t-1})$ it is the conditional. First all conditionals of the *given* $p$, then temper them.
</details>
<details><summary>Hint 2</summary>

You do not need to divide: the tempered conditional is a softmax over the last axis of $\log p(x_1, \dots, x_t) / T$, since a softmax does not mind a constant in each row. A prefix that cannot happen gives a row of $-\infty$, and NaN: `torch.nan_to_num` makes zeros of that.
</details>
"""

# %% tags=["demo"]
predict(
    "For which p are the two the same at every T?",
    ["for none", "if the steps are independent", "for all, if T is below 1"],
    answer=1,
    why="Then p(x)^(1/T) is a product over the tokens, and so is the sum over all texts. A little less is "
    "enough: that the sum which each step divides by does not depend on the prefix.",
)


# %% exercise="tokenwise_temperature"
def tokenwise_temperature(p, T):
    """The table (k1, …, kn) of texts that are drawn token by token at temperature T, from the table p of the model.

    Texts whose prefix has probability 0 have probability 0.
    """
    ### BEGIN SOLUTION
    q = torch.ones_like(p)
    for t in range(1, p.dim() + 1):
        marginal = p.flatten(t).sum(dim=-1) if t < p.dim() else p  # (k1, …, kt)
        conditional = torch.nan_to_num(torch.softmax(marginal.log() / T, dim=-1))
        q = q * conditional.view(*conditional.shape, *[1] * (p.dim() - t))
    return q
    ### END SOLUTION


# %% check="tokenwise_temperature" points=3
check(tokenwise_temperature)

# %%
texts_of_tree = FIRST[:, None] * SECOND
independent = FIRST[:, None] * torch.tensor([0.9, 0.1])


def gap(p, T):
    """The total variation between tempering whole texts and tempering each token."""
    return (joint_temperature(p, T) - tokenwise_temperature(p, T)).abs().sum().item() / 2


# %% tags=["demo"]
with solved("joint_temperature", "tokenwise_temperature"):
    print(
        f"the tree at T = 0.5: {gap(texts_of_tree, 0.5):.4f}; independent steps: {gap(independent, 0.5):.4f}"
    )
    temperatures = torch.logspace(-1.3, 1, 60)
    random = torch.Generator().manual_seed(0)
    long = torch.randn([4] * 6, generator=random).flatten().softmax(0).view([4] * 6)  # 4,096 texts
    fig, ax = plt.subplots(figsize=(6, 3.2), constrained_layout=True)
    styles = (
        (texts_of_tree, "the tree", "-", "#0072B2"),
        (long, "6 steps of 4 tokens", "--", "#D55E00"),
    )
    for p, name, line, color in styles:
        gaps = [gap(p, T.item()) for T in temperatures]
        ax.semilogx(temperatures, gaps, line, color=color, label=name)
        print(
            f"{name}: at most {max(gaps):.2f} apart, at T = {temperatures[gaps.index(max(gaps))]:.2f}"
        )
    ax.set(xlabel="temperature T", ylabel="total variation", ylim=(-0.03, 1.03))
    ax.axvline(1, color="gray", linewidth=0.8)
    ax.legend()
    show(
        fig,
        "Total variation between the two ways against temperature. Both lines are zero at T = 1 and small above it. Below, the tree's rises all the way towards 1; the longer texts' rises faster, to 0.67 near T = 0.2, and then falls again.",
    )

# %% [markdown]
r"""
The two agree at $T = 1$, and come apart on either side. In the limit $T \to 0$ all hangs on one question: does greedy find the most probable text? On the tree it does not, and the distance goes to 1; in the longer table it happens to, and the distance goes back to 0.

Where does the difference come from? Write $Z_t(x_{<t}) = \sum_v p(v \mid x_{<t})^{1/T}$ for the sum that step $t$ divides by. Token-wise sampling divides a text's $p(x)^{1/T}$ by the $Z$'s **of its own path**, the joint way by one number for all.
At $T < 1$ a prefix with a *certain* future has a large $Z$ (a sure token: $Z = 1$; two even ones at $T = 0.5$: $Z = \tfrac12$). Joint tempering rewards such prefixes; token-wise tempering divides the reward away, and at $T \to 0$ it *is* greedy.

> "Applying temperature token by token does not recover joint temperature scaling." So it is.

**Constrained decoding** (valid JSON, a list of allowed words) is as shortsighted. Tokens that no valid text goes on with get the logit $-\infty$. Every text is valid then, but not drawn from $p(x \mid x \text{ valid})$, which needs the probability of a valid *future*. On the tree, forbid $(0, 1)$: $p(x_1 = 0 \mid \text{valid}) = 0.30/0.70 = 0.43$, and masking leaves it at 0.6 (Park and others 2024).

## Exercise 6: drift

`drift` · difficulty ●●○ · 12 minutes · 3 points

In training, a model reads prefixes that people wrote. In writing, it reads **its own**. If it goes wrong once, it stands where training never was, and may go wrong again: *exposure bias* (Ranzato and others 2016). To measure it one needs the truth, so we make one.

**Ten bells** are rung in turn: 0, 1, 2, …, 9, 0, … With a probability of 4 % the ringer pulls a random rope instead, and then goes on *from there*. That is the `source`. A **learner** counts, in 20 rounds of practice with 40 bells each, what follows each *pair* of bells, with 0.1 added to every count.
"""

# %%
BELLS, SLIP = 10, 0.04
going_on = torch.full((BELLS, BELLS), SLIP / BELLS)
going_on[torch.arange(BELLS), (torch.arange(BELLS) + 1) % BELLS] += 1 - SLIP


def pairs(table):
    """A `step` from a table p(next | the two before), (10, 10, 10); the bells 8 and 9 come before the first."""

    def step(prefixes):
        bells = torch.cat([torch.tensor([[8, 9]]).expand(len(prefixes), 2), prefixes], dim=1)
        return table[bells[:, -2], bells[:, -1]].log()

    return step


source = pairs(going_on.expand(BELLS, BELLS, BELLS))  # the last bell alone decides
random = torch.Generator().manual_seed(1)
rounds = write(source, torch.exp, 20, 40, random)
counts = torch.full((BELLS,) * 3, 0.1)
for a, b, c in rounds.unfold(1, 3, 1).reshape(-1, 3):
    counts[a, b, c] += 1
learner = pairs(counts / counts.sum(dim=-1, keepdim=True))
print("a round of practice:", " ".join(str(int(bell)) for bell in rounds[0]))

# %% [markdown]
r"""
Draw `count` texts from the **learner**, token by token, each step on the learner's own prefix. At each position $t$ ask the **source** how surprised it is by the token that was drawn:

$$d_t = \frac1N \sum_{k=1}^{N} -\log p_{\text{source}}\big(x^{(k)}_t \mid x^{(k)}_{<t}\big), \qquad x^{(k)} \sim p_{\text{learner}}.$$

With it comes the **standard error** of this average: the standard deviation of the $N$ surprises, divided by $\sqrt N$.

*By hand.* Four texts of the learner, at $t = 3$: the right rope three times, at $-\ln(0.96 + 0.004) = 0.0367$ nats each, and a wrong one, at $-\ln 0.004 = 5.5215$. Then $d_3 = 1.4079$; the standard deviation is 2.7424, and the standard error half of that, 1.3712.

The source itself would have 0.2341 nats at every $t$, its entropy. The learner is nearly as good on *real* rounds, about 0.1 nats behind.

<details><summary>Hint 1</summary>

`torch.multinomial(model(tokens).exp(), 1, generator=generator)` draws one token for each row, (count, 1).
</details>
<details><summary>Hint 2</summary>

Both `model` and `source` are asked with the same prefixes: the drawn ones. `gather` picks the drawn token's entry, and `.std(dim=0)` over the texts is the standard deviation.
</details>
"""

# %% tags=["demo"]
predict(
    "From bell 20 of its own rounds on: where does the learner's d stand?",
    ["near 0.33", "near 0.5", "near 0.8"],
    answer=2,
    why="The demo below measures it, with a control.",
)


# %% exercise="drift"
def drift(model, source, count, length, generator):
    """How a model's own texts surprise the source: (mean (length,), standard error (length,)) in nats.

    `count` texts are drawn from `model`; at each position, the mean over them of −log p_source(token | prefix). Both are
    step functions; all randomness comes from `generator`, a torch.Generator.
    """
    ### BEGIN SOLUTION
    tokens, surprises = torch.zeros(count, 0, dtype=torch.long), []
    for _ in range(length):
        drawn = torch.multinomial(model(tokens).exp(), 1, generator=generator)
        surprises.append(-source(tokens).gather(1, drawn))
        tokens = torch.cat([tokens, drawn], dim=1)
    surprise = torch.cat(surprises, dim=1)  # (count, length)
    return surprise.mean(dim=0), surprise.std(dim=0) / math.sqrt(count)
    ### END SOLUTION


# %% check="drift" points=3
check(drift)


# %%
def surprise_on(real, model):
    """Mean −log p_model of real rounds (N, length), at each position: the loss that training sees."""
    steps = [-model(real[:, :t]).gather(1, real[:, t : t + 1]) for t in range(real.shape[1])]
    return torch.cat(steps, dim=1).mean(dim=0)


def after_real(real, model, source, generator):
    """As `drift`, but each token of the model's is drawn after a REAL prefix: the control."""
    surprises = []
    for t in range(real.shape[1]):
        drawn = torch.multinomial(model(real[:, :t]).exp(), 1, generator=generator)
        surprises.append(-source(real[:, :t]).gather(1, drawn))
    return torch.cat(surprises, dim=1).mean(dim=0)


# %% tags=["demo"]
with solved("drift"):
    random = torch.Generator().manual_seed(2)
    own, error = drift(learner, source, 2000, 60, random)
    ringer, _ = drift(source, source, 2000, 60, random)
    real = write(source, torch.exp, 2000, 60, random)
    taught = surprise_on(real, learner)
    control = after_real(real, learner, source, random)
    where = torch.arange(1, 61)
    fig, ax = plt.subplots(figsize=(6, 3.4), constrained_layout=True)
    ax.fill_between(
        where, own - 2 * error, own + 2 * error, color="#D55E00", alpha=0.25, linewidth=0
    )
    ax.plot(where, own, color="#D55E00", label="the source hears the learner's own rounds")
    ax.plot(
        where,
        taught,
        "--",
        color="#0072B2",
        label="the learner hears real rounds (training's view)",
    )
    ax.plot(
        where,
        control,
        "-.",
        color="#009E73",
        label="the source hears the learner's bell after a real round",
    )
    ax.plot(where, ringer, ":", color="black", label="the source hears its own rounds")
    ax.set(xlabel="position in the round", ylabel="nats a bell", ylim=(0, 1.55))
    ax.legend()
    show(
        fig,
        "Nats a bell against position. The learner's own rounds start near 0.2 and climb within a dozen bells to about 0.8, then stay there. After real rounds the learner's next bell costs about 0.4. The learner on real rounds stays near 0.33, the source's own near 0.23.",
    )
    print(
        f"on real rounds {taught.mean():.3f}; own rounds at 1: {own[0]:.2f}, at 60: {own[-1]:.2f} ± {error[-1]:.2f}"
    )
    print(
        f"what the source says of the next bell, from bell 20 on: its own {ringer[20:].mean():.2f}, "
        f"the learner's after real rounds {control[20:].mean():.2f}, after its own {own[20:].mean():.2f}"
    )
    practiced = counts.sum(dim=-1) - 1  # how often practice held each pair
    for name, texts in (("real", real), ("its own", write(learner, torch.exp, 2000, 60, random))):
        a, b, c = texts[:, 18:].unfold(1, 3, 1).flatten(0, 1).T  # c is bell 20 or a later one
        rare, cost = practiced[a, b] < 3, -going_on[b, c].log()
        print(f"in {name} rounds {rare.double().mean():.1%} of the bells follow a rare pair")
    print(
        f"there its bell costs the source {cost[rare].mean():.2f} nats, elsewhere {cost[~rare].mean():.2f}"
    )

# %% [markdown]
r"""
By the loss that training sees, the learner is a tenth of a nat from perfect. Left alone, within a dozen bells it surprises the ringer three times as much as he does himself. How much of that is owed to its **own prefixes**? The control keeps the judge and the learner, and changes the prefix only (dash-dotted): after real rounds the learner's next bell costs the source 0.41 nats, after its own 0.78, where the source's own costs 0.23. So a third of the gap is the learner's ignorance anywhere, and two thirds are drift. Where? Behind a pair of bells that practice held twice at most: there the learner's bell costs 4 nats, elsewhere about a quarter of a nat, and its own rounds lead there nearly four times as often as real ones.

### Is that so?

> "A small wrong choice early can cascade … This is not a bug in any one model; it is a property of the paradigm."

The dotted line is autoregressive too, reads its own slips, and does **not** drift. And the climb **ends**: by chance the learner finds its way back to a pair that it knows. (He and others 2021 found such self-recovery in language models.)

More practice closes the gap:
"""

# %% tags=["demo"]
with solved("drift"):
    random = torch.Generator().manual_seed(5)
    test = write(source, torch.exp, 1000, 40, random)
    for practice in (10, 20, 100, 1000):
        counts = torch.full((BELLS,) * 3, 0.1)
        triples = write(source, torch.exp, practice, 40, random).unfold(1, 3, 1).reshape(-1, 3)
        counts.index_put_(tuple(triples.T), torch.ones(len(triples)), accumulate=True)
        student = pairs(counts / counts.sum(dim=-1, keepdim=True))
        late = drift(student, source, 1000, 40, random)[0][20:].mean()
        print(
            f"{practice:>5} rounds of practice: {surprise_on(test, student).mean():.3f} nats on real rounds, {late:.3f} in its own"
        )

# %% [markdown]
r"""
## A question to answer in words

A coin comes up heads with probability 0.6. You toss it 100 times.

 1. Which single sequence of 100 tosses is the most probable? Would you believe somebody who claims to have tossed it? How many heads do nearly all real sequences have? Say with it why a novel written by beam search is dull.
 2. A translator uses a beam of 5, a story writer top-p 0.95. Why does each suit the task?
 3. A friend lowers the temperature "to get the more probable *texts*". What do they get instead, and when would it be the same?

A few sentences for each.
"""

# %% [markdown] question="most_probable" points=2
r"""
### BEGIN SOLUTION
1. All heads, with $0.6^{100}$: any other sequence replaces a factor 0.6 by 0.4. Nobody would believe it: nearly all sequences have about 60 heads, since there are so many of those (the typical set); each is *less* probable, together they hold nearly everything. Maximizing writes the all-heads text: the least surprising token everywhere, while what people write surprises by the source's entropy on average.
2. A translation has few good answers, all near the mode: search for the best. A story has many good continuations, and one wants a typical one: draw, with the unreliable tail cut off.
3. They sharpen each step, and do not see that a probable first token may lead to an uncertain future. The same as tempering whole texts if the steps are independent (or if no step's normalizer depends on the prefix), and at T = 1.

Rubric, ½ point each: all heads, and "about 60 heads are typical"; carried over to text; a reason in the task (one best answer, many good ones) for both; "per token, not per text", with a case in which the two agree.
### END SOLUTION
"""

# %% [markdown]
r"""
## What you should remember

A temperature divides *logits*, which raises probabilities to the power $1/T$: $T \to 0$ is greedy, $T \to \infty$ uniform. Top-k keeps a number of tokens, top-p a mass, and the order of the three is part of the recipe. Searching for the most probable text finds texts that nobody writes;
what people write has the surprise of the source. Tempering each token is not tempering the text, and a model that knows only good prefixes drifts on its own.

## Go further

 - A. Fan, M. Lewis, Y. Dauphin (2018). *Hierarchical neural story generation.* ACL. Top-k sampling.
 - A. Holtzman, J. Buys, L. Du, M. Forbes, Y. Choi (2020). *The curious case of neural text degeneration.* ICLR. The nucleus, and why maximizing degenerates.
 - F. Stahlberg, B. Byrne (2019). *On NMT search errors and model errors: cat got your tongue?* EMNLP-IJCNLP. Exact search in a translation model often finds the empty text.
 - W. Kool, H. van Hoof, M. Welling (2019). *Stochastic beams and where to find them.* ICML.
 - C. Guo, G. Pleiss, Y. Sun, K. Weinberger (2017). *On calibration of modern neural networks.* ICML. · A. P. Dawid (1982). *The well-calibrated Bayesian.* JASA 77.
 - K. Park, J. Wang, T. Berg-Kirkpatrick, N. Polikarpova, L. D'Antoni (2024). *Grammar-aligned decoding.* NeurIPS.
 - M. Ranzato, S. Chopra, M. Auli, W. Zaremba (2016). *Sequence level training with recurrent neural networks.* ICLR. Exposure bias.
 - T. He, J. Zhang, Z. Zhou, J. Glass (2021). *Exposure bias versus self-recovery: are the distortions really incremental for autoregressive text generation?* EMNLP.

## Recall

Close the notebook's top half, and answer aloud before you unfold.

<details><summary>What does T divide, and what does that do to probabilities?</summary>

The logits. Probabilities are raised to the power $1/T$ and normalized.
</details>
<details><summary>Which tokens does top-p keep, said with one comparison?</summary>

In ranked order, those *before* which there is still less than $p$. So the crossing token is in, and one is always kept.
</details>
<details><summary>What do T → 0 of the joint and of the token-wise temperature give?</summary>

The most probable text, and a text that greedy takes.
</details>

## Appendix: one model drafts, another one signs

To *write* five tokens takes a model five passes; to *judge* five takes one (lesson 12). So let a quick model write ahead, and a good one judge: **speculative decoding** (Leviathan, Kalman and Matias, ICML 2023; Chen and others, 2023, arXiv 2302.01318). A token that the draft drew with probability $q$ and the target gives $p$ is kept with probability $\min(1, p/q)$. At the first that is not, draw from what is missing, $(p - q)^+$ normalized, and forget the rest. If all are kept, the pass gives one token more.

*By hand.* $p = (0.5, 0.3, 0.2)$, $q = (0.2, 0.6, 0.2)$. Kept are $0.2$, $0.3$ and $0.2$; the other $0.3$ go to the first token. The sum is $p$: the text is the target's **exactly**, whatever the draft.

Our target is the small GPT; its draft is the same network with a short memory, reading the last few tokens only. (It saves passes here, not work.) How long a memory does it take, until half of a draft is kept?
"""


# %%
def speculate(target, draft, tokens, count, ahead, draw):
    """`count` tokens more as `target` writes them, and how many of a draft each of its passes kept.

    tokens: ids (t,). draft(ids) → probabilities (V,) of the next token; target(ids) → (t, V), of the
    token after each. ahead: the length of a draft. draw(probabilities) → an index drawn, (1,).
    """
    end, kept = len(tokens) + count, []
    while len(tokens) < end:
        start, q, same = len(tokens), [], 0
        for _ in range(ahead):
            q.append(draft(tokens))
            tokens = torch.cat([tokens, draw(q[-1])])
        p = target(tokens)[start - 1 :]  # (ahead + 1, V), in one pass
        while same < ahead:
            token = tokens[start + same]
            keep = (p[same, token] / q[same][token]).clamp(max=1)
            if not draw(torch.stack([1 - keep, keep])):
                break
            same += 1
        rest = p[same] if same == ahead else (p[same] - q[same]).clamp(min=0)
        tokens = torch.cat([tokens[: start + same], draw(rest / rest.sum())])
        kept.append(same)
    return tokens[:end], kept


# %% tags=["demo"] title="How much of a draft is kept"
def recalls(memory):
    """A draft that reads the last `memory` tokens: ids (t,) → probabilities (V,)."""
    return lambda ids: gpt.logits(ids[None, -memory:])[0, -1].softmax(-1)


random, ahead = torch.Generator().manual_seed(0), 4
begun = torch.tensor([gpt.end, *gpt.encode("HAMLET.\nMy lord, ")])
text, kept = speculate(
    lambda ids: gpt.logits(ids[None])[0].softmax(-1),
    recalls(2), begun, 80, ahead, lambda p: torch.multinomial(p, 1, generator=random),
)  # fmt: skip
print(f"{gpt.decode(text[1:])}\n{'─' * 60}")
print(f"80 tokens in {len(kept)} passes; a draft of {ahead} with a memory of 2: {sum(kept)} kept")

page = torch.tensor([gpt.end, *gpt.encode(pretrained.held_out())])[:256]
p = gpt.logits(page[None])[0].softmax(-1)  # (256, V)
for memory in (1, 2, 4, 8, 16, 32):
    q = gpt.logits(page.unfold(0, memory, 1))[:, -1].softmax(-1)  # (256 − memory + 1, V)
    share = torch.minimum(p[memory - 1 :], q).sum(-1).mean().item()  # Σ min(p, q): what is kept
    each = sum(share**i for i in range(ahead + 1))
    print(f"memory {memory:>2}: {share:4.0%} of a draft kept, about {each:.1f} tokens a pass")


# %% [markdown]
"""
A real draft is a smaller network. The package has a larger GPT too, with the same tokens and twice the layers: `course/larger-gpt`. Now the small one writes ahead, and the larger one signs. Is it worth it? For one text at a time a pass takes about as long as it takes to read the network's numbers (lesson 12), so count these.
"""


# %% tags=["demo"] title="A small model drafts for a larger one"
larger = pretrained.language_model(pretrained.LARGER)
better = larger.logits(page[None])[0].softmax(-1)  # (256, V)
share = torch.minimum(better, p).sum(-1).mean().item()
each = sum(share**i for i in range(ahead + 1))
nats = [-q[:-1].gather(1, page[1:, None]).log().mean().item() for q in (p, better)]
sizes = [sum(w.numel() for w in model.parameters()) / 1e6 for model in (gpt, larger)]
print(
    f"the draft: {sizes[0]:.1f} million numbers, {nats[0]:.2f} nats a token on a page new to both"
)
print(f"the target: {sizes[1]:.1f} million numbers, {nats[1]:.2f} nats a token")
print(f"{share:.0%} of a draft kept, about {each:.1f} tokens a pass of the target")
cost = 1 + ahead * sizes[0] / sizes[1]
print(
    f"a pass and its draft read {cost:.1f} times the target's numbers: {each / cost:.2f} tokens a"
)
print("pass's worth. A draft of half the size is too dear; at a tenth it would be worth its keep:")
print(f"{each / (1 + ahead / 10):.1f}, if as much of it were kept.")
