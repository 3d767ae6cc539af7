"""Wrong answers to lesson 13, temperature."""

from tests.banks.bank import Wrong, written

SOFTMAX = "p_T = softmax(z / T): below 1 it sharpens, above 1 it flattens, 1 changes nothing"
LIMITS = "T → 0 is greedy with ties shared, T → ∞ is uniform, and nothing overflows"
NEVER = "a logit of −inf stays impossible at every temperature, and changes no other token's"
ROWS = "each row of a batch is treated by itself, and the argument stays as it was"
T_REFUSED = "T outside T > 0 is refused with a ValueError"
K_BEST = "the k most probable tokens keep their proportions, all others get 0, the sum is 1"
K_TIES = "where tokens tie, exactly k are kept, the lowest indices first"
K_EDGES = "k ≥ V keeps all as they are, and k < 1 is refused with a ValueError"
FEWEST = (
    "the kept tokens are the fewest that hold at least p, the crossing one with them, normalized"
)
ONE = "one token is always kept, and no more where the mass is p exactly"
ALL = "p = 1 keeps every token, however small"
P_TIES = "of tied tokens only as many as needed are kept, the lowest indices first"
P_REFUSED = "p outside 0 < p ≤ 1 is refused with a ValueError"
ORDER = "the temperature comes first, top-k cuts what it gives, top-p what top-k left"
ENDS = "it is right at the ends: cold, hot, one token, ties, hardly any mass, and no k = 0"
LEFT_OUT = "left out, each does nothing, and a batch is treated row by row"
EACH = "each token is the most probable one after those chosen before it"
FAR = "a text of 800 tokens has a log-probability"
WHOLE = "the log-probability is that of the whole text, in nats"
TREE = "a beam of 2 finds the text that greedy misses on a two-step tree, and its log p"
BEAM = "at each step the best `width` of all extensions are kept, each score with its own text"
EVERY = "with full width every text is there, with its log-probability, best first"
LONG = "a text of 400 tokens has a log-probability, and beams that differ"
WORK = "the model is asked about `width` prefixes a step, no more"
BITS = "bits per token is the average of −log2 p of the tokens that came"
PERPLEXITY = "perplexity is 2 to the bits per token"
EXTREMES = (
    "uniform over V tokens has perplexity V, certainty has 1, and neither large logits nor long "
    "texts are any harm"
)
JOINT = "each text's probability is raised to 1/T, and all texts together sum to 1"
SMALL = "small probabilities survive T = 0.01, and impossible texts stay impossible"
TOKENWISE = "every conditional is tempered and normalized by itself, and the product is returned"
INDEPENDENT = "it equals the joint temperature where the steps are independent, and not in general"
DEAD = "a prefix that cannot happen has probability 0, with no NaN, and T = 0.02 is no harm"
SURPRISE = "at each position, the mean of −log p_source of what the model drew after its own prefix"
ERROR = "the standard error is the standard deviation over the texts, divided by √count"
SEED = "all randomness comes from the given generator"

TEMPERED = "torch.softmax(logits / T, dim=-1)"
T_TEST = '    if not T > 0:\n        raise ValueError(f"T must be positive: got {T}")\n'
K_TEST = '    if k < 1:\n        raise ValueError(f"k must be at least 1: got {k}")\n'
P_TEST = '    if not 0 < p <= 1:\n        raise ValueError(f"p must be in (0, 1]: got {p}")\n'
P_ONE = "    if p == 1:\n        return probs / probs.sum(dim=-1, keepdim=True)\n"
RANKED = "ranked, order = probs.sort(dim=-1, descending=True, stable=True)"
BEFORE = "before = ranked.cumsum(dim=-1) - ranked"
SCATTERED = "torch.zeros_like(probs).scatter(-1, order, ranked * (before < p))"
NORMALIZED = "return kept / kept.sum(dim=-1, keepdim=True)"
STABLE = "probs.argsort(dim=-1, descending=True, stable=True)"
K_KEPT = "kept = probs * torch.zeros_like(probs).scatter(-1, order[..., :k], 1.0)"
APPEND = "tokens = torch.cat([tokens, best.indices.view(1, 1)], dim=1)"
START = "tokens, scores = torch.zeros(1, 0, dtype=torch.long), torch.zeros(1)"
TOTAL = "total = scores[:, None] + step(tokens)"
PARENT = "torch.cat([tokens[parent], token[:, None]], dim=1)"
NATS = "nats = -logits.log_softmax(dim=-1).gather(1, tokens[:, None]).mean().item()"
SCORES = "return nats / math.log(2), math.exp(nats)"
JOINTLY = "torch.softmax(p.log().flatten() / T, dim=0).view(p.shape)"
CONDITIONAL = "torch.nan_to_num(torch.softmax(marginal.log() / T, dim=-1))"
DRAWN = "torch.multinomial(model(tokens).exp(), 1, generator=generator)"
JUDGED = "surprises.append(-source(tokens).gather(1, drawn))"
ANSWERED = "return surprise.mean(dim=0), surprise.std(dim=0) / math.sqrt(count)"

ANSWERS = (
    # temperature
    Wrong("temperature", SOFTMAX, "T-multiplied", edit=("logits / T", "logits * T")),
    Wrong(
        "temperature",
        SOFTMAX,
        "probabilities-for-logits",
        edit=(TEMPERED, "torch.softmax(torch.softmax(logits, dim=-1) / T, dim=-1)"),
    ),
    Wrong(
        "temperature",
        SOFTMAX,
        "divided-after-softmax",
        edit=(TEMPERED, "torch.softmax(logits, dim=-1) / T"),
    ),
    Wrong(
        "temperature",
        SOFTMAX,
        "T-cancels",
        edit=(
            f"return {TEMPERED}",
            "p = torch.softmax(logits, dim=-1) / T\n    return p / p.sum(dim=-1, keepdim=True)",
        ),
    ),
    Wrong("temperature", SOFTMAX, "logits-returned", edit=(TEMPERED, "logits / T")),
    Wrong("temperature", SOFTMAX, "not-normalized", edit=(TEMPERED, "torch.exp(logits / T)")),
    Wrong("temperature", SOFTMAX, "logs-returned", edit=(TEMPERED, TEMPERED + ".log()")),
    Wrong(
        "temperature",
        LIMITS,
        "overflow",
        edit=(
            f"return {TEMPERED}",
            "e = torch.exp(logits / T)\n    return e / e.sum(dim=-1, keepdim=True)",
        ),
    ),
    Wrong(
        "temperature",
        LIMITS,
        "ties-not-shared",
        edit=(
            f"return {TEMPERED}",
            "if T < 1e-3:\n        best = logits.argmax(dim=-1, keepdim=True)\n"
            "        return torch.zeros_like(logits).scatter(-1, best, 1.0)\n"
            f"    return {TEMPERED}",
        ),
    ),
    Wrong(
        "temperature",
        NEVER,
        "impossible-made-possible",
        edit=("logits / T, dim", "logits.clamp(min=-1e4) / T, dim"),
    ),
    Wrong(
        "temperature",
        NEVER,
        "nan-from-inf",
        edit=(
            TEMPERED,
            "torch.softmax((logits - logits.amin(dim=-1, keepdim=True)) / T, -1)",
        ),
    ),
    Wrong("temperature", ROWS, "wrong-axis", edit=("dim=-1", "dim=0")),
    Wrong(
        "temperature",
        ROWS,
        "batch-flattened",
        edit=(TEMPERED, "torch.softmax(logits.flatten() / T, dim=0).view(logits.shape)"),
    ),
    Wrong(
        "temperature",
        ROWS,
        "changed-in-place",
        edit=(f"return {TEMPERED}", "logits /= T\n    return torch.softmax(logits, dim=-1)"),
    ),
    Wrong("temperature", T_REFUSED, "not-refused", edit=(T_TEST, "")),
    Wrong("temperature", T_REFUSED, "not-refused", edit=("if not T > 0", "if T < 0")),
    Wrong("temperature", T_REFUSED, "not-refused", edit=("if not T > 0", "if T == 0")),
    Wrong(
        "temperature",
        NEVER,
        "impossible-made-possible",
        edit=(TEMPERED, "torch.softmax(torch.nan_to_num(logits, neginf=-1e9) / T, dim=-1)"),
    ),
    Wrong("temperature", SOFTMAX, "squared-T", edit=("logits / T", "logits / T / T")),
    Wrong(
        "temperature",
        SOFTMAX,
        "T-multiplied",
        edit=((T_TEST, ""), ("logits / T", "logits * T")),
    ),
    Wrong(
        "temperature",
        T_REFUSED,
        "another-exception",
        edit=(T_TEST, '    if not T > 0:\n        raise KeyError("T")\n'),
    ),
    Wrong("temperature", T_REFUSED, "not-refused", edit=(T_TEST, "    assert T >= 0\n")),
    # top_k
    Wrong("top_k", K_BEST, "not-normalized", edit=(NORMALIZED, "return kept")),
    Wrong("top_k", K_BEST, "one-too-many", edit=("[..., :k]", "[..., : k + 1]")),
    Wrong("top_k", K_BEST, "least-probable-kept", edit=("descending=True", "descending=False")),
    Wrong("top_k", K_BEST, "best-removed", edit=("[..., :k]", "[..., k:]")),
    Wrong(
        "top_k",
        K_BEST,
        "first-indices-kept",
        edit=(K_KEPT, "kept = probs * (torch.arange(probs.shape[-1]) < k)"),
    ),
    Wrong(
        "top_k",
        K_BEST,
        "not-put-back",
        edit=(K_KEPT, "kept = probs.gather(-1, order) * (torch.arange(probs.shape[-1]) < k)"),
    ),
    Wrong(
        "top_k", K_BEST, "softmax-again", edit=(NORMALIZED, "return torch.softmax(kept, dim=-1)")
    ),
    Wrong(
        "top_k",
        K_TIES,
        "ties-keep-more",
        edit=(
            K_KEPT,
            "least = probs.gather(-1, order)[..., min(k, probs.shape[-1]) - 1, None]\n"
            "    kept = probs * (probs >= least)",
        ),
    ),
    Wrong(
        "top_k",
        K_TIES,
        "ties-by-chance",
        edit=(
            STABLE,
            "probs.flip(-1).argsort(dim=-1, descending=True, stable=True).neg()"
            ".add(probs.shape[-1] - 1)",
        ),
    ),
    *written(
        "top_k",
        "top_k(probs, k)",
        (
            ROWS,
            "batch-flattened",
            """
if k < 1:
    raise ValueError(f"k must be at least 1: got {k}")
flat = probs.flatten()
order = flat.argsort(descending=True, stable=True)
kept = flat * torch.zeros_like(flat).scatter(-1, order[:k], 1.0)
return (kept / kept.sum()).view(probs.shape)
""",
        ),
        (
            ROWS,
            "rows-mixed",
            """
if k < 1:
    raise ValueError("k must be at least 1")
filtered = probs.clone()
order = probs.argsort(dim=-1, descending=True, stable=True)
remove = order[..., k:]
filtered[..., remove.flatten()] = 0.0
return filtered / filtered.sum(dim=-1, keepdim=True)
""",
        ),
        (
            K_BEST,
            "cut-mass-given-away",
            """
if k < 1:
    raise ValueError(k)
k = min(k, probs.shape[-1])
idx = probs.argsort(dim=-1, descending=True, stable=True)[..., :k]
mask = torch.zeros_like(probs).scatter(-1, idx, 1.0)
kept = probs * mask
missing = 1 - kept.sum(-1, keepdim=True)
return kept + mask * missing / k
""",
        ),
        (
            K_BEST,
            "cut-mass-given-away",
            """
if k < 1:
    raise ValueError(k)
idx = probs.argsort(dim=-1, descending=True, stable=True)
kept = probs * torch.zeros_like(probs).scatter(-1, idx[..., :k], 1.0)
return kept.scatter_add(-1, idx[..., :1], 1 - kept.sum(-1, keepdim=True))
""",
        ),
        (
            ROWS,
            "batch-flattened",
            """
if k < 1:
    raise ValueError(k)
flat = probs.flatten()
k = min(k * (flat.numel() // probs.shape[-1]), flat.numel())
order = flat.argsort(descending=True, stable=True)[:k]
kept = torch.zeros_like(flat).scatter(0, order, flat[order]).view(probs.shape)
return kept / kept.sum(-1, keepdim=True)
""",
        ),
        (
            ROWS,
            "sum-over-the-batch",
            """
if k < 1:
    raise ValueError(k)
order = probs.argsort(dim=-1, descending=True, stable=True)
kept = probs.scatter(-1, order[..., k:], 0.0)
mass = kept.reshape(-1, kept.shape[-1])[0].sum()
return kept / mass
""",
        ),
        (
            K_BEST,
            "one-too-few",
            """
sorted_probs, order = torch.sort(probs, descending=True, stable=True, dim=-1)
cut = max(k - 1, 1)
sorted_probs = sorted_probs.clone()
sorted_probs[..., cut:] = 0
out = torch.zeros_like(probs).scatter(-1, order, sorted_probs)
return out / out.sum(-1, keepdim=True)
""",
        ),
    ),
    Wrong(
        "top_k",
        ROWS,
        "changed-in-place",
        edit=(K_KEPT, "kept = probs\n    kept.scatter_(-1, order[..., k:], 0.0)"),
    ),
    Wrong(
        "top_k",
        K_EDGES,
        "k-beyond-V",
        edit=(
            STABLE,
            "probs.sort(descending=True, stable=True).indices.split([k, probs.shape[-1] "
            "- k], dim=-1)[0]",
        ),
    ),
    Wrong("top_k", K_EDGES, "not-refused", edit=(K_TEST, "")),
    Wrong("top_k", K_EDGES, "not-refused", edit=("if k < 1", "if k < 0")),
    Wrong("top_k", K_EDGES, "not-refused", edit=("if k < 1", "if k == 0")),
    Wrong("top_k", edit=("if k < 1", "if k < 2"), stops="k must be at least 1: got 1"),
    Wrong("top_k", K_BEST, "one-too-few", edit=("[..., :k]", "[..., : k - 1]")),
    Wrong(
        "top_k",
        K_BEST,
        "evenly-shared",
        edit=(NORMALIZED, "return (kept > 0) / (kept > 0).sum(dim=-1, keepdim=True)"),
    ),
    Wrong(
        "top_k",
        K_BEST,
        "softmax-over-kept",
        edit=(
            NORMALIZED,
            "return torch.softmax(torch.where(kept > 0, kept, -torch.inf), dim=-1)",
        ),
    ),
    # top_p
    Wrong(
        "top_p",
        FEWEST,
        "crossing-dropped",
        edit=(BEFORE, "before = ranked.cumsum(dim=-1)"),
    ),
    Wrong(
        "top_p",
        ONE,
        "crossing-dropped",
        edit=(BEFORE, "before = ranked.cumsum(dim=-1)"),
    ),
    Wrong(
        "top_p",
        FEWEST,
        "crossing-dropped",
        edit=((BEFORE, "before = ranked.cumsum(dim=-1)\n    before[..., 0] = 0"),),
    ),
    Wrong(
        "top_p",
        FEWEST,
        "one-too-many",
        edit=(BEFORE, "before = ranked.cumsum(dim=-1) - ranked - ranked.roll(1, -1)"),
    ),
    Wrong("top_p", ONE, "more-than-needed", edit=("before < p", "before <= p")),
    Wrong("top_p", FEWEST, "not-normalized", edit=(NORMALIZED, "return kept")),
    Wrong("top_p", FEWEST, "ascending", edit=("descending=True", "descending=False")),
    Wrong(
        "top_p",
        FEWEST,
        "unsorted",
        edit=(
            RANKED,
            "ranked, order = probs, torch.arange(probs.shape[-1]).expand(probs.shape)",
        ),
    ),
    Wrong("top_p", FEWEST, "mask-not-put-back", edit=(SCATTERED, "probs * (before < p)")),
    Wrong("top_p", FEWEST, "not-put-back", edit=(SCATTERED, "ranked * (before < p)")),
    Wrong("top_p", FEWEST, "threshold-for-mass", edit=(SCATTERED, "probs * (probs >= 1 - p)")),
    Wrong(
        "top_p",
        FEWEST,
        "fraction-of-the-best",
        edit=(SCATTERED, "probs * (probs >= p * ranked[..., :1])"),
    ),
    Wrong("top_p", ALL, "sum-reaches-one", edit=(P_ONE, "")),
    Wrong(
        "top_p",
        ALL,
        "argmax-of-nothing",
        edit=(
            (P_ONE, ""),
            (BEFORE, "last = (ranked.cumsum(dim=-1) > p).float().argmax(dim=-1, keepdim=True)"),
            ("before < p", "torch.arange(probs.shape[-1]) <= last"),
        ),
    ),
    Wrong(
        "top_p",
        P_TIES,
        "ties-keep-more",
        edit=(
            SCATTERED,
            "probs * (probs >= torch.where(before < p, ranked, 2.0).amin(-1, keepdim=True))",
        ),
    ),
    Wrong(
        "top_p",
        P_TIES,
        "ties-by-chance",
        edit=(
            RANKED,
            "ranked, order = probs.flip(-1).sort(dim=-1, descending=True, stable=True)\n"
            "    order = probs.shape[-1] - 1 - order",
        ),
    ),
    Wrong(
        "top_p",
        ROWS,
        "changed-in-place",
        edit=(SCATTERED, "probs.scatter_(-1, order, ranked * (before < p))"),
    ),
    Wrong("top_p", P_REFUSED, "not-refused", edit=(P_TEST, "")),
    Wrong("top_p", P_REFUSED, "not-refused", edit=("0 < p <= 1", "0 <= p <= 1")),
    Wrong("top_p", P_REFUSED, "not-refused", edit=("0 < p <= 1", "p != 0 and p <= 1")),
    Wrong("top_p", P_REFUSED, "not-refused", edit=("0 < p <= 1", "0 < p")),
    Wrong("top_p", ONE, "nothing-kept", edit=("before < p", "before < p - 1e-6")),
    Wrong(
        "top_p",
        ONE,
        "nothing-kept",
        edit=("before < p", "before.float() + 1 < torch.tensor(1 + p)"),
    ),
    Wrong(
        "top_p",
        ROWS,
        "",
        edit=(P_ONE, "    if p == 1:\n        return probs / probs.sum(0)\n"),
    ),
    Wrong("top_p", FEWEST, "complement", edit=("before < p", "before < 1 - p")),
    Wrong("top_p", FEWEST, "nothing-cut", edit=("before < p", "before < 2")),
    Wrong("top_p", FEWEST, "evenly-shared", edit=("ranked * (before < p)", "1.0 * (before < p)")),
    Wrong(
        "top_p",
        FEWEST,
        "fraction-of-tokens",
        edit=("before < p", "torch.arange(probs.shape[-1]) < math.ceil(p * probs.shape[-1])"),
    ),
    Wrong("top_p", P_REFUSED, "not-refused", edit=("0 < p <= 1", "p <= 1")),
    # next_probs
    *written(
        "next_probs",
        "next_probs(logits, T=1.0, k=None, p=1.0)",
        (
            ORDER,
            "temperature-after-top-p",
            """
probs = temperature(logits, 1.0)
if k is not None:
    probs = top_k(probs, k)
return temperature(top_p(probs, p).log(), T)
""",
        ),
        (
            ORDER,
            "top-p-before-top-k",
            """
probs = top_p(temperature(logits, T), p)
return probs if k is None else top_k(probs, k)
""",
        ),
        (
            ORDER,
            "top-p-before-top-k",
            """
probs = temperature(logits, T)
both = probs * (top_p(probs, p) > 0)
if k is not None:
    both = both * (top_k(probs, k) > 0)
return both / both.sum(-1, keepdim=True)
""",
        ),
        (
            LEFT_OUT,
            "rows-for-V",
            """
if k is None:
    k = len(logits)
return top_p(top_k(temperature(logits, T), k), p)
""",
        ),
        (
            ORDER,
            "k-ignored",
            """
probs = temperature(logits, T)
if k is not None:
    top_k(probs, k)
return top_p(probs, p)
""",
        ),
        (
            LEFT_OUT,
            "logits-returned",
            """
out = logits
if T != 1.0:
    out = temperature(out, T)
if k is not None:
    out = top_k(out, k)
if p < 1.0:
    out = top_p(out, p)
return out
""",
        ),
        (
            ENDS,
            "ties-keep-more",
            """
logits = logits / T
if k is not None:
    v, _ = torch.topk(logits, min(k, logits.size(-1)))
    logits = logits.masked_fill(logits < v[..., [-1]], -float("Inf"))
probs = torch.softmax(logits, dim=-1)
return top_p(probs, p)
""",
        ),
    ),
    Wrong("next_probs", ORDER, "T-ignored", edit=("(logits, T)", "(logits, 1.0)")),
    Wrong(
        "next_probs",
        LEFT_OUT,
        "",
        edit=("T=1.0, k=None, p=1.0", "T=0.7, k=None, p=1.0"),
    ),
    Wrong("next_probs", ENDS, "zero-for-none", edit=("if k is not None:", "if k:")),
    Wrong("next_probs", ENDS, edit=("(logits, T)", "(logits, max(T, 0.1))")),
    Wrong("next_probs", ENDS, edit=("(logits, T)", "(logits, min(T, 2.0))")),
    Wrong("next_probs", ENDS, edit=("top_p(probs, p)", "top_p(probs, max(p, 0.4))")),
    Wrong("next_probs", ENDS, edit=("top_k(probs, k)", "top_k(probs, max(k, 2))")),
    Wrong("next_probs", ORDER, "k-ignored", edit=("top_k(probs, k)", "probs")),
    Wrong("next_probs", ORDER, "p-ignored", edit=("return top_p(probs, p)", "return probs")),
    Wrong("next_probs", ORDER, "T-multiplied", edit=("(logits, T)", "(logits, 1 / T)")),
    Wrong(
        "next_probs",
        ORDER,
        "temperature-on-probabilities",
        edit=("(logits, T)", "(logits.softmax(-1), T)"),
    ),
    # greedy
    Wrong("greedy", EACH, "prefix-not-extended", edit=("step(tokens)", "step(tokens[:, :0])")),
    Wrong("greedy", EACH, "last-token-only", edit=("step(tokens)", "step(tokens[:, -1:])")),
    Wrong("greedy", EACH, "least-probable", edit=(".max(dim=0)", ".min(dim=0)")),
    *written(
        "greedy",
        "greedy(step, length)",
        (
            EACH,
            "searched",
            """
tokens, scores = beam_search(step, 4 ** length, length)
return tokens[0], float(scores[0])
""",
        ),
        (
            EACH,
            "ties-by-chance",
            """
tokens, total = torch.zeros(1, 0, dtype=torch.long), 0.0
for _ in range(length):
    row = step(tokens)[0]
    best = len(row) - 1 - row.flip(0).argmax()
    tokens = torch.cat([tokens, best.view(1, 1)], dim=1)
    total += float(row[best])
return tokens[0], total
""",
        ),
        (
            FAR,
            "product-for-logs",
            """
tokens = torch.zeros(1, 0, dtype=torch.long)
prob = 1.0
for _ in range(length):
    p = step(tokens)[0].exp()
    v = int(p.argmax())
    prob = prob * p[v]
    tokens = torch.cat([tokens, torch.tensor([[v]])], dim=1)
return tokens[0], float(torch.log(torch.as_tensor(prob)))
""",
        ),
        (
            EACH,
            "looks-ahead",
            """
tokens, total = torch.zeros(1, 0, dtype=torch.long), 0.0
for t in range(length):
    row = step(tokens)[0]
    value = row.clone()
    if t + 1 < length:
        V = len(row)
        tried = torch.cat([tokens.expand(V, -1), torch.arange(V)[:, None]], 1)
        value = row + step(tried).max(1).values
    v = int(value.argmax())
    total += float(row[v])
    tokens = torch.cat([tokens, torch.tensor([[v]])], 1)
return tokens[0], total
""",
        ),
    ),
    Wrong("greedy", WHOLE, "probability-for-log", edit=("[0], total", "[0], math.exp(total)")),
    Wrong("greedy", WHOLE, "last-step-only", edit=("total += float", "total = float")),
    Wrong("greedy", WHOLE, "mean-for-sum", edit=("[0], total", "[0], total / length")),
    Wrong("greedy", WHOLE, "never-added", edit=("total += float(best.values)", "pass")),
    # beam_search
    *written(
        "beam_search",
        "beam_search(step, width, length)",
        (
            BEAM,
            "few-of-each",
            """
tokens, scores = torch.zeros(1, 0, dtype=torch.long), torch.zeros(1)
for _ in range(length):
    rows = step(tokens)
    best, token = (scores[:, None] + rows).topk(min(2, rows.shape[1]))
    scores, place = best.flatten().topk(min(width, best.numel()))
    parent = place // best.shape[1]
    tokens = torch.cat([tokens[parent], token.flatten()[place][:, None]], dim=1)
return tokens, scores
""",
        ),
        (
            BEAM,
            "beam-is-greedy",
            """
scores, tokens = step(torch.zeros(1, 0, dtype=torch.long))[0].topk(min(width, 2))
if width > 2:
    first = step(torch.zeros(1, 0, dtype=torch.long))[0]
    scores, tokens = first.topk(min(width, len(first)))
tokens = tokens[:, None]
for _ in range(length - 1):
    best = step(tokens).max(dim=1)
    tokens = torch.cat([tokens, best.indices[:, None]], dim=1)
    scores = scores + best.values
order = scores.argsort(descending=True)
return tokens[order], scores[order]
""",
        ),
        (
            TREE,
            "identical-beams",
            """
tokens, score = greedy(step, length)
return tokens[None].repeat(width, 1), torch.full((width,), score)
""",
        ),
        (
            BEAM,
            "identical-beams",
            """
beams = [{"text": [], "score": 0.0}]
for _ in range(length):
    grown = []
    for beam in beams:
        prefix = torch.tensor(beam["text"], dtype=torch.long)[None]
        row = step(prefix)[0]
        for token in range(len(row)):
            grown.append(beam)
            beam["last"] = token
            beam["gain"] = float(row[token])
    beams = grown[:width]
    beams[0]["text"].append(beams[0]["last"])
    beams[0]["score"] += beams[0]["gain"]
return torch.tensor([b["text"] for b in beams]), torch.tensor([b["score"] for b in beams])
""",
        ),
        (
            BEAM,
            "logs-multiplied",
            """
sequences = [[list(), 1.0]]
for _ in range(length):
    all_candidates = list()
    for seq, score in sequences:
        row = step(torch.tensor([seq], dtype=torch.long).view(1, -1))[0]
        for j in range(len(row)):
            all_candidates.append([seq + [j], score * -float(row[j])])
    ordered = sorted(all_candidates, key=lambda tup: tup[1])
    sequences = ordered[:width]
return torch.tensor([s for s, _ in sequences]), torch.tensor([-c for _, c in sequences])
""",
        ),
        (
            BEAM,
            "scores-scaled",
            """
beams = [([], 0.0)]
for _ in range(length):
    new = []
    for seq, s in beams:
        row = step(torch.tensor(seq, dtype=torch.long).view(1, -1))[0]
        for v, lp in enumerate(row.tolist()):
            new.append((seq + [v], s + lp))
    beams = sorted(new, key=lambda b: -b[1])[:width]
return torch.tensor([b[0] for b in beams]), torch.tensor([b[1] / length ** 0.6 for b in beams])
""",
        ),
        (
            BEAM,
            "parent-score-forgotten",
            """
tokens = torch.zeros(1, 0, dtype=torch.long)
sums = torch.zeros(1)
for _ in range(length):
    logp = step(tokens)
    V = logp.shape[1]
    val, place = logp.flatten().topk(min(width, logp.numel()))
    parent = place // V
    sums = sums[parent] + val
    tokens = torch.cat([tokens[parent], (place % V)[:, None]], 1)
return tokens, sums
""",
        ),
        (
            BEAM,
            "scores-shifted",
            """
tokens, scores = torch.zeros(1, 0, dtype=torch.long), torch.zeros(1)
for _ in range(length):
    total = scores[:, None] + step(tokens)
    V = total.shape[1]
    scores, place = total.flatten().topk(min(width, total.numel()))
    scores = scores.log_softmax(dim=0)
    tokens = torch.cat([tokens[place // V], (place % V)[:, None]], dim=1)
return tokens, scores
""",
        ),
    ),
    Wrong(
        "beam_search",
        BEAM,
        "parent-score-forgotten",
        edit=(TOTAL, "total = step(tokens)"),
    ),
    Wrong(
        "beam_search",
        BEAM,
        "identical-beams",
        edit=(
            START,
            "tokens, scores = torch.zeros(width, 0, dtype=torch.long), torch.zeros(width)",
        ),
    ),
    Wrong(
        "beam_search",
        EVERY,
        "identical-beams",
        edit=(
            START,
            "tokens = torch.zeros(width, 0, dtype=torch.long)\n"
            "    scores = torch.zeros(width).index_fill(0, torch.arange(1, width), -math.inf)",
        ),
    ),
    Wrong(
        "beam_search",
        BEAM,
        "parents-mixed-up",
        edit=(
            PARENT,
            "torch.cat([tokens if len(tokens) == len(token) else tokens[parent], "
            "token[:, None]], 1)",
        ),
    ),
    Wrong(
        "beam_search",
        LONG,
        "product-for-logs",
        edit=(
            (
                START,
                START.replace(", torch.zeros(1)", ", torch.ones(1)"),
            ),
            (TOTAL, "total = scores[:, None] * step(tokens).exp()"),
            ("return tokens, scores", "return tokens, scores.log()"),
        ),
    ),
    Wrong(
        "beam_search",
        BEAM,
        "product-for-logs",
        edit=(
            (START, START.replace(", torch.zeros(1)", ", torch.ones(1)")),
            (TOTAL, "total = scores[:, None] * step(tokens).exp()"),
        ),
    ),
    Wrong(
        "beam_search",
        BEAM,
        "mean-for-sum",
        edit=("return tokens, scores", "return tokens, scores / length"),
    ),
    Wrong(
        "beam_search",
        BEAM,
        "not-sorted",
        edit=("return tokens, scores", "return tokens.flip(0), scores.flip(0)"),
    ),
    Wrong(
        "beam_search",
        BEAM,
        "not-a-beam",
        edit=(
            ("min(width, total.numel())", "min(3 * width, total.numel())"),
            ("return tokens, scores", "return tokens[:width], scores[:width]"),
        ),
    ),
    Wrong(
        "beam_search",
        WORK,
        "not-a-beam",
        edit=(
            (
                "    for _ in range(length):\n",
                "    for _ in range(length):\n        step(tokens)\n",
            ),
        ),
    ),
    Wrong(
        "beam_search",
        EVERY,
        "nan-from-inf",
        edit=(
            TOTAL,
            "total = scores[:, None] + step(tokens).exp() * step(tokens) / step(tokens).exp()",
        ),
    ),
    # score
    Wrong("score", BITS, "nats-for-bits", edit=("nats / math.log(2)", "nats")),
    Wrong("score", BITS, "times-ln-2", edit=("nats / math.log(2)", "nats * math.log(2)")),
    Wrong("score", BITS, "raw-length", edit=(".mean()", ".sum()")),
    Wrong("score", PERPLEXITY, "two-to-the-nats", edit=("math.exp(nats)", "2**nats")),
    Wrong(
        "score",
        PERPLEXITY,
        "e-to-the-bits",
        edit=("math.exp(nats)", "math.exp(nats / math.log(2))"),
    ),
    Wrong(
        "score",
        BITS,
        "mean-of-probabilities",
        edit=(
            NATS,
            "nats = -logits.softmax(dim=-1).gather(1, tokens[:, None]).mean().log().item()",
        ),
    ),
    Wrong(
        "score",
        BITS,
        "shifted-again",
        edit=(NATS, NATS.replace("logits.", "logits[:-1].").replace("tokens[:,", "tokens[1:,")),
    ),
    Wrong(
        "score",
        EXTREMES,
        "overflow",
        edit=("logits.log_softmax(dim=-1)", "logits.softmax(dim=-1).log()"),
    ),
    Wrong("score", BITS, "sign", edit=("nats = -logits", "nats = logits")),
    Wrong("score", BITS, "wrong-axis", edit=("log_softmax(dim=-1)", "log_softmax(dim=0)")),
    Wrong("score", BITS, "probabilities-for-logs", edit=("log_softmax(dim=-1)", "softmax(dim=-1)")),
    Wrong("score", BITS, "logits-for-logs", edit=("logits.log_softmax(dim=-1)", "logits")),
    Wrong("score", PERPLEXITY, "no-exponential", edit=("math.exp(nats)", "nats")),
    Wrong(
        "score", BITS, "turned-around", edit=(SCORES, "return math.exp(nats), nats / math.log(2)")
    ),
    Wrong(
        "score",
        BITS,
        "nats-for-bits",
        edit=(("nats / math.log(2)", "nats"), ("math.exp(nats)", "2**nats")),
    ),
    # joint_temperature
    *written(
        "joint_temperature",
        "joint_temperature(p, T)",
        (
            JOINT,
            "token-wise-for-joint",
            """
return tokenwise_temperature(p, T)
""",
        ),
        (
            JOINT,
            "each-axis-in-turn",
            """
z = p.log() / T
for d in range(p.dim()):
    z = torch.log_softmax(z, dim=d)
return z.exp()
""",
        ),
        (
            JOINT,
            "first-token-only",
            """
first = p.flatten(1).sum(1) if p.dim() > 1 else p
new = torch.softmax(first.log() / T, 0)
ratio = torch.nan_to_num(new / first)
return p * ratio.view(-1, *[1] * (p.dim() - 1))
""",
        ),
    ),
    Wrong("joint_temperature", JOINT, "T-multiplied", edit=("/ T", "* T")),
    Wrong(
        "joint_temperature",
        JOINT,
        "rows-normalized",
        edit=(JOINTLY, "torch.softmax(p.log() / T, dim=-1)"),
    ),
    Wrong(
        "joint_temperature",
        JOINT,
        "probabilities-for-logits",
        edit=("p.log().flatten()", "p.flatten()"),
    ),
    Wrong("joint_temperature", JOINT, "not-normalized", edit=(JOINTLY, "p ** (1 / T)")),
    Wrong("joint_temperature", JOINT, "T-cancels", edit=(JOINTLY, "(p / T) / (p / T).sum()")),
    Wrong(
        "joint_temperature",
        JOINT,
        "last-token-only",
        edit=(
            JOINTLY,
            "p.sum(dim=-1, keepdim=True) * torch.softmax(p.log() / T, dim=-1)",
        ),
    ),
    Wrong(
        "joint_temperature",
        SMALL,
        "underflow",
        edit=(JOINTLY, "p ** (1 / T) / (p ** (1 / T)).sum()"),
    ),
    Wrong("joint_temperature", SMALL, "epsilon-in-log", edit=("p.log()", "(p + 1e-12).log()")),
    Wrong(
        "joint_temperature",
        JOINT,
        "marginals-tempered",
        edit=(
            JOINTLY,
            "torch.softmax(p.sum(tuple(range(1, p.dim()))).log() / T, 0).view(-1, *[1] * (p.dim() "
            "- 1)) * joint_temperature(p.sum(0), T) if p.dim() > 1 else torch.softmax(p.log() / T, "
            "0)",
        ),
    ),
    Wrong("joint_temperature", JOINT, "divided", edit=(JOINTLY, "p / T")),
    Wrong(
        "joint_temperature",
        JOINT,
        "columns-normalized",
        edit=(JOINTLY, "torch.softmax(p.log() / T, dim=0)"),
    ),
    # tokenwise_temperature
    *written(
        "tokenwise_temperature",
        "tokenwise_temperature(p, T)",
        (
            TOKENWISE,
            "joint-for-token-wise",
            """
return joint_temperature(p, T)
""",
        ),
        (
            INDEPENDENT,
            "joint-for-token-wise",
            """
return joint_temperature(p, T)
""",
        ),
        (
            TOKENWISE,
            "marginals-tempered",
            """
q = torch.ones_like(p)
for t in range(p.dim()):
    marginal = p.sum(dim=[a for a in range(p.dim()) if a != t])
    shape = [1] * p.dim()
    shape[t] = -1
    q = q * torch.softmax(marginal.log() / T, dim=0).view(shape)
return q
""",
        ),
        (
            TOKENWISE,
            "middle-steps-missing",
            """
first = torch.softmax(p.flatten(1).sum(dim=-1).log() / T, dim=-1) if p.dim() > 1 else 1.0
then = torch.nan_to_num(torch.softmax(p.log() / T, dim=-1))
return then * (first.view(-1, *[1] * (p.dim() - 1)) if p.dim() > 1 else 1.0)
""",
        ),
        (
            TOKENWISE,
            "prefix-cut",
            """
n = p.dim()
first = p.sum(dim=tuple(range(1, n))) if n > 1 else p
q = torch.softmax(first.log() / T, 0).view(-1, *[1] * (n - 1))
for t in range(1, n):
    others = tuple(d for d in range(n) if d not in (t - 1, t))
    pair = p.sum(dim=others, keepdim=True) if others else p
    q = q * torch.softmax(pair.log() / T, dim=t).nan_to_num()
return q
""",
        ),
        (
            TOKENWISE,
            "best-future-for-sum",
            """
n = p.dim()
q = torch.ones_like(p)
for t in range(n):
    later = tuple(range(t + 1, n))
    m = p.amax(dim=later, keepdim=True) if later else p
    q = q * torch.softmax(m.log() / T, dim=t).nan_to_num()
return q
""",
        ),
        (
            TOKENWISE,
            "last-token-first",
            """
n = p.dim()
q = torch.ones_like(p)
for t in range(n):
    earlier = tuple(range(t))
    m = p.sum(dim=earlier, keepdim=True) if earlier else p
    q = q * torch.softmax(m.log() / T, dim=t).nan_to_num()
return q
""",
        ),
        (
            TOKENWISE,
            "rest-in-one-step",
            """
first = p.flatten(1).sum(1)
cond = p.flatten(1) / first[:, None]
q1 = torch.softmax(first.log() / T, 0)
q2 = torch.nan_to_num(torch.softmax(cond.log() / T, dim=1))
return (q1[:, None] * q2).view(p.shape)
""",
        ),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "first-not-tempered",
        edit=("marginal.log() / T", "marginal.log() / (T if t > 1 else 1.0)"),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "only-the-last-tempered",
        edit=("marginal.log() / T", "marginal.log() / (T if t == p.dim() else 1.0)"),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "tempered-before-marginals",
        edit=(
            "    q = torch.ones_like(p)\n",
            "    p = joint_temperature(p, T)\n    q = torch.ones_like(p)\n",
        ),
    ),
    Wrong("tokenwise_temperature", TOKENWISE, "T-multiplied", edit=("/ T", "* T")),
    Wrong(
        "tokenwise_temperature",
        DEAD,
        "zero-over-zero",
        edit=(CONDITIONAL, "torch.softmax(marginal.log() / T, dim=-1)"),
    ),
    Wrong(
        "tokenwise_temperature",
        DEAD,
        "epsilon-in-log",
        edit=("marginal.log()", "(marginal + 1e-9).log()"),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "last-step-missing",
        edit=("range(1, p.dim() + 1)", "range(1, p.dim())"),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "first-step-missing",
        edit=("range(1, p.dim() + 1)", "range(2, p.dim() + 1)"),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "multiplied-by-p",
        edit=("torch.ones_like(p)", "p.clone()"),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "wrong-axis",
        edit=("marginal.log() / T, dim=-1", "marginal.log() / T, dim=0"),
    ),
    Wrong(
        "tokenwise_temperature",
        DEAD,
        "underflow",
        edit=(
            CONDITIONAL,
            "torch.nan_to_num(marginal ** (1 / T) / (marginal ** (1 / T)).sum(-1, keepdim=True))",
        ),
    ),
    # drift
    Wrong(
        "drift",
        SURPRISE,
        "real-prefixes",
        edit=(
            (
                "drawn], dim=1)",
                "torch.multinomial(source(tokens).exp(), 1, generator=generator)], 1)",
            ),
        ),
    ),
    Wrong(
        "drift",
        SURPRISE,
        "argmax-for-draw",
        edit=(DRAWN, "model(tokens).argmax(dim=1, keepdim=True)"),
    ),
    Wrong(
        "drift",
        SEED,
        "not-random",
        edit=(DRAWN, "model(tokens).argmax(dim=1, keepdim=True)"),
    ),
    Wrong(
        "drift",
        "each text is drawn for itself",
        "samples-that-know-each-other",
        edit=(
            "torch.multinomial(model(tokens).exp(), 1, generator=generator)",
            "torch.multinomial(model(tokens[::2]).exp(), 1, generator=generator).repeat_interleave("
            "2, 0)[: len(tokens)]",
        ),
    ),
    Wrong("drift", SURPRISE, "source-drawn", edit=("model(tokens).exp()", "source(tokens).exp()")),
    Wrong("drift", SURPRISE, "model-for-source", edit=("-source(tokens)", "-model(tokens)")),
    Wrong("drift", SURPRISE, "sign", edit=("(-source", "(source")),
    Wrong(
        "drift",
        SURPRISE,
        "accumulated",
        edit=("surprise.mean(dim=0),", "surprise.cumsum(1).mean(0),"),
    ),
    Wrong(
        "drift",
        ERROR,
        "deviation-for-error",
        edit=("surprise.std(dim=0) / math.sqrt(count)", "surprise.std(dim=0)"),
    ),
    Wrong("drift", ERROR, "divided-by-count", edit=("math.sqrt(count)", "count")),
    Wrong("drift", ERROR, "variance", edit=("surprise.std(dim=0)", "surprise.var(dim=0)")),
    Wrong("drift", SEED, "generator-ignored", edit=(", generator=generator", "")),
    Wrong(
        "drift",
        SEED,
        "a-second-source",
        edit=(
            DRAWN,
            "torch.multinomial(model(tokens).exp(), 1, generator=None if len(surprises) % 2 else "
            "generator)",
        ),
    ),
    Wrong(
        "drift",
        SEED,
        "reseeded",
        edit=("    for _ in range", "    generator.manual_seed(0)\n    for _ in range"),
    ),
    Wrong(
        "drift",
        SURPRISE,
        "bits-for-nats",
        edit=("-source(tokens).gather(1, drawn)", "-source(tokens).gather(1, drawn) / math.log(2)"),
    ),
    Wrong(
        "drift",
        SURPRISE,
        "uniform-drawn",
        edit=("model(tokens).exp()", "torch.ones_like(model(tokens))"),
    ),
    Wrong(
        "greedy",
        WHOLE,
        "bits-for-nats",
        edit=("float(best.values)", "float(best.values) / math.log(2)"),
    ),
    Wrong(
        "tokenwise_temperature",
        DEAD,
        "epsilon-in-log",
        edit=("marginal.log()", "(marginal + 1e-12).log()"),
    ),
    Wrong(
        "joint_temperature",
        SMALL,
        "epsilon-in-log",
        edit=("p.log()", "p.clamp(min=1e-4).log()"),
    ),
    Wrong(
        "next_probs",
        ORDER,
        "logits-returned",
        edit=("probs = temperature(logits, T)", "probs = logits / T"),
    ),
    Wrong(
        "score",
        BITS,
        "entropy-for-surprise",
        edit=(
            "-logits.log_softmax(dim=-1).gather(1, tokens[:, None]).mean().item()",
            "-(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1).mean().item()",
        ),
    ),
    Wrong(
        "score",
        PERPLEXITY,
        "mean-of-probabilities",
        edit=(
            "math.exp(nats)",
            ("(-logits.log_softmax(dim=-1).gather(1, tokens[:, None])).exp().mean().item()"),
        ),
    ),
    Wrong(
        "score",
        EXTREMES,
        "overflow",
        edit=(
            "logits.log_softmax(dim=-1)",
            "(logits.exp() / logits.exp().sum(-1, keepdim=True)).log()",
        ),
    ),
    Wrong(
        "score",
        BITS,
        "raw-length",
        edit=(
            "return nats / math.log(2), math.exp(nats)",
            "return len(tokens) * nats / math.log(2), math.exp(nats)",
        ),
    ),
    Wrong(
        "temperature",
        NEVER,
        "impossible-made-possible",
        edit=(
            "torch.softmax(logits / T, dim=-1)",
            "torch.softmax(logits.nan_to_num(neginf=-5.0) / T, dim=-1)",
        ),
    ),
    Wrong(
        "top_k",
        K_EDGES,
        "another-exception",
        edit=(
            ('    if k < 1:\n        raise ValueError(f"k must be at least 1: got {k}")\n'),
            ("    assert k >= 1\n"),
        ),
    ),
    Wrong(
        "top_k",
        K_EDGES,
        "not-refused",
        edit=(K_TEST, "    assert k\n"),
    ),
    Wrong("top_p", P_REFUSED, "not-refused", edit=(P_TEST, "    assert p <= 1\n")),
    Wrong(
        "top_p",
        P_REFUSED,
        "another-exception",
        edit=(
            ('    if not 0 < p <= 1:\n        raise ValueError(f"p must be in (0, 1]: got {p}")\n'),
            ("    assert 0 < p <= 1\n"),
        ),
    ),
    Wrong(
        "top_k",
        K_TIES,
        "ties-by-chance",
        edit=(
            "probs.argsort(dim=-1, descending=True, stable=True)",
            (
                "(probs.double() + 1e-12 * "
                "torch.arange(probs.shape[-1]).mul(7).remainder(11)).argsort(dim=-1, "
                "descending=True)"
            ),
        ),
    ),
    Wrong(
        "top_p",
        P_TIES,
        "ties-by-chance",
        edit=(
            "    ranked, order = probs.sort(dim=-1, descending=True, stable=True)",
            (
                "    noise = 1e-12 * torch.arange(probs.shape[-1]).mul(7).remainder(11)\n"
                "    order = (probs.double() + noise).argsort(dim=-1, descending=True)\n"
                "    ranked = probs.gather(-1, order)"
            ),
        ),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "last-step-twice",
        edit=(
            (
                "        q = q * conditional.view(*conditional.shape, *[1] * (p.dim() - t))"
                "\n"
                "    return q"
            ),
            (
                "        q = q * conditional.view(*conditional.shape, *[1] * (p.dim() - t))"
                "\n"
                "    return q * conditional"
            ),
        ),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "not-normalized",
        edit=("return q", "return p ** (1 / T)"),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "not-normalized",
        edit=(
            "torch.softmax(marginal.log() / T, dim=-1)",
            "(marginal / marginal.sum(-1, keepdim=True)) ** (1 / T)",
        ),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "only-the-first-tempered",
        edit=("marginal.log() / T", "marginal.log() / (T if t == 1 else 1.0)"),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "rows-normalized",
        edit=("    return q", "    return conditional"),
    ),
    Wrong(
        "drift",
        SURPRISE,
        edit=(
            "surprises.append(-source(tokens).gather(1, drawn))",
            "surprises.append(-(source(tokens).exp() * source(tokens)).sum(1, keepdim=True))",
        ),
    ),
    # sums and places
    *(
        Wrong(
            exercise,
            ROWS,
            "sum-over-the-batch",
            edit=("return kept / kept.sum(dim=-1, keepdim=True)", f"return kept / kept.{total}"),
        )
        for exercise in ("top_k", "top_p")
        for total in ("sum()", "sum(dim=0)")
    ),
    Wrong(
        "top_k",
        K_BEST,
        "read-for-written",
        edit=(
            K_KEPT,
            "ranked = probs.gather(-1, order) * (torch.arange(probs.shape[-1]) < k)\n"
            "    kept = ranked.gather(-1, order)",
        ),
    ),
    Wrong(
        "top_k",
        K_BEST,
        "read-for-written",
        edit=(
            K_KEPT,
            "first = (torch.arange(probs.shape[-1]) < k).expand(probs.shape)\n"
            "    kept = probs * first.gather(-1, order)",
        ),
    ),
    Wrong(
        "top_p",
        FEWEST,
        "read-for-written",
        edit=(SCATTERED, "(ranked * (before < p)).gather(-1, order)"),
    ),
    Wrong(
        "next_probs",
        ORDER,
        "logits-cut",
        edit=(
            (
                "    probs = temperature(logits, T)\n    if k is not None:\n"
                "        probs = top_k(probs, k)\n"
            ),
            (
                "    if k is not None:\n        logits = top_k(logits, k)\n"
                "    probs = temperature(logits, T)\n"
            ),
        ),
    ),
    Wrong(
        "greedy",
        WHOLE,
        "last-step-forgotten",
        edit=("total += float(best.values)", "total += float(best.values) * (_ < length - 1)"),
    ),
    Wrong(
        "greedy",
        WHOLE,
        "first-step-forgotten",
        edit=("total += float(best.values)", "total += float(best.values) * (_ > 0)"),
    ),
    Wrong("greedy", WHOLE, "sign", edit=("total += float", "total -= float")),
    Wrong(
        "beam_search",
        BEAM,
        "prefix-and-token-swapped",
        edit=(
            "place // total.shape[1], place % total.shape[1]",
            "place % total.shape[1], place // total.shape[1]",
        ),
    ),
    *(
        Wrong("beam_search", BEAM, name, edit=("min(width, total.numel())", f"min({kept})"))
        for name, kept in (
            ("one-too-few", "max(width - 1, 1), total.numel()"),
            ("one-too-many", "width + 1, total.numel()"),
            ("beam-is-greedy", "1, total.numel()"),
        )
    ),
    *(
        Wrong("beam_search", BEAM, name, edit=("return tokens, scores", f"return tokens, {scores}"))
        for name, scores in (("bits-for-nats", "scores / math.log(2)"), ("sign", "-scores"))
    ),
    *(
        Wrong("temperature", claim, name, edit=(TEMPERED, code))
        for claim, name, code in (
            (
                ROWS,
                "shifted-by-the-batch",
                "((logits - logits.max()) / T).exp() / ((logits - logits.max()) / T).exp().sum(-1, "
                "keepdim=True)",
            ),
            (LIMITS, "T-not-as-given", "torch.softmax(logits / max(T, 0.01), dim=-1)"),
            (SOFTMAX, "T-not-as-given", "torch.softmax(logits / (T + 1e-3), dim=-1)"),
            (
                ROWS,
                "wrong-axis",
                "torch.softmax(logits / T, dim=1 if logits.dim() > 1 else 0)",
            ),
            (
                LIMITS,
                "powers-underflow",
                "(lambda q: q / q.sum(-1, keepdim=True))(torch.softmax(logits, -1) ** (1 / T))",
            ),
        )
    ),
    Wrong(
        "top_k",
        ROWS,
        "first-row-for-all",
        edit=(
            K_KEPT,
            "first = order.reshape(-1, probs.shape[-1])[0, :k]\n"
            "    kept = torch.zeros_like(probs)\n    kept[..., first] = probs[..., first]",
        ),
    ),
    Wrong(
        "top_k",
        ROWS,
        "batch-flattened",
        edit=(
            K_KEPT,
            "flat = probs.flatten()\n    best = flat.argsort(descending=True, stable=True)[:k]\n"
            "    kept = torch.zeros_like(flat).scatter(0, best, flat[best]).view(probs.shape)",
        ),
    ),
    *(
        Wrong("top_p", ROWS, "first-row-for-all", edit=edit)
        for edit in (
            (
                SCATTERED,
                "torch.zeros_like(probs).scatter(-1, order, ranked * ((before < p)"
                ".reshape(-1, probs.shape[-1])[0]))",
            ),
            (
                f"kept = {SCATTERED}",
                "mask = torch.zeros_like(probs).scatter(-1, order, (before < p).to(probs.dtype))\n"
                "    kept = probs * mask.reshape(-1, probs.shape[-1])[0]",
            ),
        )
    ),
    Wrong(
        "top_p",
        FEWEST,
        "threshold-for-mass",
        edit=(SCATTERED, "probs * (probs >= p)"),
    ),
    *(
        Wrong(
            "next_probs",
            claim,
            name,
            source=f"def next_probs(logits, {arguments}):\n{body}",
        )
        for claim, name, arguments, body in (
            (
                ORDER,
                "top-p-then-heat",
                "T=1.0, k=None, p=1.0",
                "    probs = top_p(torch.softmax(logits, dim=-1), p)\n"
                "    probs = temperature(probs.log(), T)\n"
                "    return probs if k is None else top_k(probs, k)\n",
            ),
            (
                ORDER,
                "top-p-without-k-only",
                "T=1.0, k=None, p=1.0",
                "    probs = temperature(logits, T)\n"
                "    return top_p(probs, p) if k is None else top_k(probs, k)\n",
            ),
            (
                ORDER,
                "T-squared",
                "T=1.0, k=None, p=1.0",
                "    probs = temperature(logits / T, T)\n"
                "    return top_p(probs if k is None else top_k(probs, k), p)\n",
            ),
            *(
                (
                    LEFT_OUT,
                    "other-defaults",
                    arguments,
                    "    probs = temperature(logits, T)\n"
                    "    return top_p(probs if k is None else top_k(probs, k), p)\n",
                )
                for arguments in ("T=1.0, k=50, p=1.0", "T=0.7, k=None, p=1.0")
            ),
        )
    ),
    Wrong(
        "greedy",
        EACH,
        "newest-first",
        edit=(APPEND, "tokens = torch.cat([best.indices.view(1, 1), tokens], dim=1)"),
    ),
    Wrong(
        "greedy",
        EACH,
        "drawn",
        edit=(
            "best = step(tokens)[0].max(dim=0)",
            "drawn = torch.multinomial(step(tokens).exp(), 1)[0, 0]\n"
            "        best = step(tokens)[:, drawn].max(dim=0)\n"
            "        best = torch.return_types.max((best.values, drawn))",
        ),
    ),
    *(
        Wrong("beam_search", EVERY, name, edit=edit)
        for name, edit in (
            (
                "divided-by-width",
                (
                    "place // total.shape[1], place",
                    "(place // width).clamp(max=len(tokens) - 1), place",
                ),
            ),
            ("no-more-than-V", ("min(width, total.numel())", "min(width, total.shape[1])")),
        )
    ),
    *(
        Wrong(
            "beam_search",
            BEAM,
            "beam-is-greedy",
            source=f"""
def beam_search(step, width, length):
    scores, new = step(torch.zeros(1, 0, dtype=torch.long))[0].topk(
        min(width, step(torch.zeros(1, 0, dtype=torch.long)).shape[1])
    )
    tokens = new[:, None]
    for _ in range(length - 1):
        best, new = step(tokens).max(dim=1)
        scores, tokens = scores + best, torch.cat([tokens, new[:, None]], dim=1)
    order = {order}
    return tokens[order], scores[order]
""",
        )
        for order in ("scores.argsort(descending=True)", "torch.arange(len(scores))")
    ),
    Wrong(
        "score",
        BITS,
        "looked-up-in-every-row",
        edit=(NATS, "nats = -logits.log_softmax(dim=-1)[:, tokens].mean().item()"),
    ),
    Wrong(
        "joint_temperature",
        SMALL,
        "underflow",
        edit=(JOINTLY, "(p.double() ** (1 / T) / (p.double() ** (1 / T)).sum()).to(p.dtype)"),
    ),
    Wrong(
        "drift",
        SURPRISE,
        "entropy-for-surprise",
        edit=(
            JUDGED,
            "log_p = source(tokens)\n"
            "        surprises.append(-(log_p.exp() * log_p).sum(dim=1, keepdim=True))",
        ),
    ),
    Wrong(
        "drift",
        ERROR,
        "expected-for-drawn",
        edit=(
            JUDGED,
            "surprises.append(-(model(tokens).exp() * source(tokens)).sum(dim=1, keepdim=True))",
        ),
    ),
    Wrong(
        "drift",
        SURPRISE,
        "last-token-only",
        edit=("tokens = torch.cat([tokens, drawn], dim=1)", "tokens = drawn"),
    ),
    *written(
        "temperature",
        "temperature(logits, T)",
        (
            ROWS,
            "wrong-axis",
            """
import warnings
import torch.nn.functional as F
if not T > 0:
    raise ValueError(f"T must be positive: got {T}")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    return F.softmax(logits / T)
""",
        ),
        (
            SOFTMAX,
            "logits-returned",
            """
if T <= 0:
    raise ValueError(f"T must be positive: got {T}")
if T == 1.0:
    return logits
return torch.softmax(logits / T, dim=-1)
""",
        ),
        (
            SOFTMAX,
            "not-normalized",
            """
if not T > 0:
    raise ValueError(f"T must be positive: got {T}")
logp = logits.log_softmax(dim=-1)
return (logp / T).exp()
""",
        ),
        (
            T_REFUSED,
            "another-exception",
            """
assert T > 0, f"T must be positive: got {T}"
probs = (logits / T - torch.logsumexp(logits / T, -1, keepdim=True)).exp()
return probs
""",
        ),
    ),
    *written(
        "top_p",
        "top_p(probs, p)",
        (
            FEWEST,
            "fraction-of-the-best",
            """
if not 0 < p <= 1:
    raise ValueError(p)
floor = (1 - p) * probs.amax(dim=-1, keepdim=True)
kept = probs * (probs >= floor)
return kept / kept.sum(-1, keepdim=True)
""",
        ),
        (
            FEWEST,
            "crossing-shortened",
            """
if not 0 < p <= 1:
    raise ValueError(p)
ranked, order = probs.sort(dim=-1, descending=True, stable=True)
upto = ranked.cumsum(-1)
before = upto - ranked
part = (upto.clamp(max=p) - before).clamp(min=0)
if p == 1:
    part = ranked
out = torch.zeros_like(probs).scatter(-1, order, part)
return out / out.sum(-1, keepdim=True)
""",
        ),
        (
            ROWS,
            "first-row-for-all",
            """
if not 0 < p <= 1:
    raise ValueError(p)
if p == 1:
    return probs
ranked, order = probs.sort(dim=-1, descending=True, stable=True)
n = int(((ranked.cumsum(-1) - ranked) < p).sum(-1).max())
ranked = ranked.clone()
ranked[..., n:] = 0
kept = torch.zeros_like(probs).scatter(-1, order, ranked)
return kept / kept.sum(-1, keepdim=True)
""",
        ),
        (
            FEWEST,
            "divided-by-p",
            """
if not 0 < p <= 1:
    raise ValueError(p)
ranked, order = probs.sort(dim=-1, descending=True, stable=True)
keep = (ranked.cumsum(-1) - ranked) < p
kept = torch.zeros_like(probs).scatter(-1, order, ranked * keep)
return kept / p
""",
        ),
        (
            FEWEST,
            "best-dropped",
            """
if not 0 < p <= 1:
    raise ValueError(p)
if p == 1:
    return probs / probs.sum(-1, keepdim=True)
ranked, order = probs.sort(dim=-1, descending=True, stable=True)
before = ranked.cumsum(-1).roll(1, dims=-1)
kept = torch.zeros_like(probs).scatter(-1, order, ranked * (before < p))
return kept / kept.sum(-1, keepdim=True)
""",
        ),
    ),
    Wrong(
        "next_probs",
        LEFT_OUT,
        "other-defaults",
        source="""
def next_probs(logits, T=0.7, k=50, p=0.9):
    probs = temperature(logits, T)
    if k is not None:
        probs = top_k(probs, k)
    if p < 1:
        probs = top_p(probs, p)
    return probs
""",
    ),
    *written(
        "score",
        "score(logits, tokens)",
        (
            BITS,
            "token-left-out",
            """
import torch.nn.functional as F
loss = F.cross_entropy(logits, tokens, ignore_index=0, reduction="mean")
return loss.item() / math.log(2), math.exp(loss.item())
""",
        ),
        (
            BITS,
            "best-token-for-text",
            """
best = logits.log_softmax(-1).max(dim=-1).values
nats = -best.mean().item()
return nats / math.log(2), math.exp(nats)
""",
        ),
        (
            EXTREMES,
            "surprise-capped",
            """
p = logits.softmax(-1).clamp(min=1e-9)
nats = -p[torch.arange(len(tokens)), tokens].log().mean().item()
return nats / math.log(2), math.exp(nats)
""",
        ),
        (
            EXTREMES,
            "product-for-logs",
            """
p = logits.softmax(-1).gather(1, tokens[:, None])[:, 0]
pp = float(p.prod()) ** (-1 / len(p)) if float(p.prod()) > 0 else float("inf")
return math.log2(pp), pp
""",
        ),
    ),
    *written(
        "drift",
        "drift(model, source, count, length, generator)",
        (
            SURPRISE,
            "ends-swapped",
            """
tokens, out = torch.zeros(count, 0, dtype=torch.long), []
for _ in range(length):
    drawn = torch.multinomial(source(tokens).exp(), 1, generator=generator)
    out.append(-model(tokens).gather(1, drawn))
    tokens = torch.cat([tokens, drawn], dim=1)
s = torch.cat(out, dim=1)
return s.mean(dim=0), s.std(dim=0) / math.sqrt(count)
""",
        ),
        (
            SURPRISE,
            "first-row-for-all",
            """
tokens, out = torch.zeros(count, 0, dtype=torch.long), []
for _ in range(length):
    probs = model(tokens)[0].exp()
    drawn = torch.multinomial(probs, count, replacement=True, generator=generator)[:, None]
    out.append(-source(tokens).gather(1, drawn))
    tokens = torch.cat([tokens, drawn], dim=1)
s = torch.cat(out, dim=1)
return s.mean(dim=0), s.std(dim=0) / math.sqrt(count)
""",
        ),
        (
            SURPRISE,
            "ratio-for-surprise",
            """
tokens, out = torch.zeros(count, 0, dtype=torch.long), []
for _ in range(length):
    logq = model(tokens)
    drawn = torch.multinomial(logq.exp(), 1, generator=generator)
    out.append((logq - source(tokens)).gather(1, drawn))
    tokens = torch.cat([tokens, drawn], dim=1)
s = torch.cat(out, dim=1)
return s.mean(dim=0), s.std(dim=0) / math.sqrt(count)
""",
        ),
    ),
    Wrong(
        "next_probs",
        ORDER,
        "top-k-without-p-only",
        edit=("if k is not None:", "if k is not None and p == 1:"),
    ),
    Wrong("next_probs", ENDS, "T-not-as-given", edit=("(logits, T)", "(logits, max(T, 1e-3))")),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "last-not-tempered",
        edit=("marginal.log() / T,", "marginal.log() / (T if t < p.dim() else 1),"),
    ),
    Wrong(
        "temperature",
        LIMITS,
        "overflow",
        edit=(
            f"return {TEMPERED}",
            "e = (logits / T).exp()\n    e = e / e.max(dim=-1, keepdim=True).values\n"
            "    return e / e.sum(dim=-1, keepdim=True)",
        ),
    ),
    Wrong(
        "top_p",
        FEWEST,
        "shifted-the-wrong-way",
        source="""
def top_p(probs, p):
    if not 0 < p <= 1:
        raise ValueError(f"p must be in (0, 1]: got {p}")
    if p == 1:
        return probs / probs.sum(dim=-1, keepdim=True)
    ranked, order = probs.sort(dim=-1, descending=True, stable=True)
    gone = ranked.cumsum(dim=-1) > p
    gone[..., :-1] = gone[..., 1:].clone()
    gone[..., 0] = False
    kept = torch.zeros_like(probs).scatter(-1, order, ranked * ~gone)
    return kept / kept.sum(dim=-1, keepdim=True)
""",
    ),
    Wrong(
        "temperature",
        SOFTMAX,
        "random-answer",
        edit=(TEMPERED, "torch.nn.functional.gumbel_softmax(logits, tau=T, dim=-1)"),
    ),
    Wrong(
        "top_p",
        FEWEST,
        "softmax-of-probabilities",
        edit=((BEFORE, "flat = ranked.softmax(dim=-1)\n    before = flat.cumsum(dim=-1) - flat"),),
    ),
    Wrong(
        "top_p",
        FEWEST,
        "marks-not-copied",
        edit=(
            BEFORE,
            "gone = ranked.cumsum(dim=-1) >= p\n"
            "    for i in range(1, gone.shape[-1]):\n"
            "        gone[..., i] = gone[..., i - 1]\n"
            "    gone[..., 0] = False\n"
            "    before = gone * 2.0",
        ),
    ),
    Wrong(
        "next_probs",
        ORDER,
        "zeros-for-cut",
        source="""
def next_probs(logits, T=1.0, k=None, p=1.0):
    z = logits / T
    if k is not None:
        z = z * (top_k(z.softmax(-1), k) > 0)
    z = z * (top_p(z.softmax(-1), p) > 0)
    return z.softmax(-1)
""",
    ),
    Wrong(
        "score",
        BITS,
        "logits-for-probabilities",
        edit=(NATS, "nats = -logits.gather(1, tokens[:, None]).log().mean().item()"),
    ),
    Wrong(
        "joint_temperature",
        JOINT,
        "divided-by-the-largest",
        edit=(JOINTLY, "(p ** (1 / T)) / (p ** (1 / T)).max()"),
    ),
    Wrong(
        "tokenwise_temperature",
        TOKENWISE,
        "two-axes-only",
        source="""
def tokenwise_temperature(p, T):
    first = p.sum(1)
    a = first ** (1 / T)
    b = (p / first[:, None]) ** (1 / T)
    return torch.nan_to_num((a / a.sum())[:, None] * (b / b.sum(1, keepdim=True)))
""",
    ),
)
