"""Wrong answers to lesson 12, GPT-2."""

from tests.banks.bank import Wrong

MEAN = "y_i is the mean of the values at j ≤ i, weighted by softmax(q_i · k_j / √d)"
WEIGHTS = "the weights are a distribution over past and present, blind to the future"
LAST = "with fewer queries than keys, the queries are the last positions"
LARGE = "no score is so large that it gets past the mask or overflows"
FORMULA = "x + out(attention(LN₁ x)), then that + down(GELU(up(LN₂ of it)))"
TRIANGLE = "position t sees positions 1 … t, all of them, and nothing else"
KEPT = "with a cache, the new keys and values go there, and all that come back are used"
LOGITS = "the logits are ln_f(blocks(wte[token] + wpe[position])) · wte, for every position"
BLIND = "the logits at t see tokens 1 … t, all of them, and no later one"
ON = "with a cache of s tokens, positions go on at s, and every block gets the cache"
START = "a new model holds all tokens about equally likely: small weights, no bias yet"
TRAINS = "training reaches every number, and there is one table for both ends"
ONCE = "every number is counted once, the tied table too: 124,439,808 for the smallest GPT-2"
WHOLE = "the answer is an exact whole number, however large"
NAMES = "the names are those of GPT2: every weight has a place, and no other is there"
VALUES = "every value is in its place: Conv1D transposed, and q, k, v cut in this order"
FILES = "names with and without transformer. are taken; stored masks and the tied head are skipped"
NLL = "NLL = −Σ log p(x_t | x_<t), over the tokens after the given ones"
SUMS = "the probabilities of all continuations sum to 1"
FINITE = "it is finite and right for logits of ten thousand, too"
PP = "perplexity is e to the mean NLL of all scored tokens"
EVEN = "a model that guesses evenly has perplexity V, a perfect one 1"
GREEDY = "without a generator, the likeliest next token is appended, count times"
DRAWN = "with a generator, each token is drawn from the softmax after the last one"
BEYOND = "beyond the context the window is read, and the whole text is returned"
APPEND = "append puts new keys and values behind the old ones of the same layer, along time"
REORDER = "after reorder, row b of every layer is what row rows[b] was, and goes on by itself"
FRESH = "a new cache is empty and its own, and nothing that was kept is written over"
SAME = "the text is the one that reading everything again gives, drawn or likeliest"
READ = "each token is read once: T + count − 1 of them"
JUMP = "when the window jumps, it is read afresh into an empty cache"
OPEN = "leaks one token ahead, by a mean, and in late positions are found, and only they"
HIDDEN = "leaks behind a closed gate and behind a rounding are found, and only they"

FUTURE = ".triu(S - T + 1)"
SOFTMAX = "torch.softmax(scores.masked_fill(future, -math.inf), dim=-1)"
ROOT = " / math.sqrt(q.shape[-1])"
SPLIT = "part(read).view(B, T, self.heads, -1).transpose(1, 2)"
ADDED = "        x = x + self.out(y)\n"
LAST_LINE = 'return x + self.down(F.gelu(self.up(self.ln_2(x)), approximate="tanh"))'
EARLY = 'return x + self.down(self.up(F.gelu(self.ln_2(x), approximate="tanh")))'
HEAD = "return self.ln_f(x) @ self.wte.weight.T"
TOKEN_AND_PLACE = "self.wte(tokens) + self.wpe(positions)"
COUNT = '(config["vocab_size"] + config["n_positions"]) * C'
TOTAL = '+ config["n_layer"] * block + 2 * C'
TURNED = "            value = value.T  # (in, out) → (out, in)\n"
CONV = '        if ".c_" in name and name.endswith(".weight"):\n' + TURNED
SKIP = 'if name.endswith((".attn.bias", ".attn.masked_bias")) or name == "lm_head.weight":'
PARTS = 'zip("qkv", value.chunk(3), strict=True)'
SHIFTED = "model(tokens)[:, given - 1 : -1]"
CROSS = 'F.cross_entropy(logits.transpose(1, 2), targets, reduction="none").sum(dim=1)'
SCORED = "scored = tokens.shape[0] * (tokens.shape[1] - given)"
NEXT = 'logits = model(window(tokens, model.config["n_positions"]))[:, -1]'
BEHIND = "k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], dim=2)"
ROWS = "{layer: (k[rows], v[rows]) for layer, (k, v) in self.pairs.items()}"
NEWEST = "model(seen[:, cache.length :], cache)"
JUMPED = (
    "        if cache.length >= seen.shape[1]:"
    "  # the window has jumped: other positions, other keys\n"
    "            cache = Cache()\n"
)
MAP = 'dependency_map(model, tokens, "token", outputs=-1, vocabulary=V)'

TOGETHER = """
def uniform(rows, generator, how):
    u = torch.rand(rows, generator=generator, dtype=torch.float64)
    if how == "twice":
        return u[: (rows + 1) // 2].repeat_interleave(2)[:rows]
    if how == "mirrored":
        u[1::2] = 1 - u[: rows // 2 * 2 : 2]
    return u

@torch.no_grad()
def generate(model, tokens, count, generator=None):
    T = tokens.shape[1]
    for _ in range(count):
        logits = model(window(tokens, model.config["n_positions"]))[:, -1]
        if generator is None:
            new = logits.argmax(-1, keepdim=True)
        else:
            u = uniform(len(logits), generator, "{how}")
            below = logits.double().softmax(-1).cumsum(-1) < u[:, None]
            new = below.sum(-1, keepdim=True).clamp_max(logits.shape[-1] - 1)
        tokens = torch.cat([tokens, new], dim=1)
    if "{how}" == "sorted" and generator is not None:
        tokens = torch.tensor(sorted(tokens.tolist()))
    return tokens
"""

ANSWERS = (
    # causal_attention
    Wrong(
        "causal_attention",
        WEIGHTS,
        "mask-after-softmax",
        edit=(SOFTMAX, "torch.softmax(scores, dim=-1).masked_fill(future, 0)"),
    ),
    Wrong("causal_attention", MEAN, "triu-for-tril", edit=(FUTURE, ".tril(S - T - 1)")),
    Wrong("causal_attention", MEAN, "mask-with-zero", edit=("-math.inf", "0.0")),
    Wrong("causal_attention", MEAN, "no-scale", edit=(ROOT, "")),
    Wrong("causal_attention", MEAN, "scaled-by-d", edit=(ROOT, " / q.shape[-1]")),
    Wrong(
        "causal_attention",
        MEAN,
        "scaled-by-model-width",
        edit=(ROOT, " / math.sqrt(q.shape[-1] * (q.shape[-3] if q.ndim > 2 else 1))"),
    ),
    Wrong("causal_attention", WEIGHTS, "softmax-over-queries", edit=("dim=-1", "dim=-2")),
    Wrong("causal_attention", WEIGHTS, "no-mask", edit=(SOFTMAX, "torch.softmax(scores, dim=-1)")),
    Wrong("causal_attention", WEIGHTS, "sees-one-ahead", edit=(FUTURE, ".triu(S - T + 2)")),
    Wrong("causal_attention", WEIGHTS, "masks-itself", edit=(FUTURE, ".triu(S - T)")),
    Wrong(
        "causal_attention",
        misconception="nothing-to-see",
        edit=(FUTURE, ".triu(S - T)"),
        check="GPT2",
    ),
    Wrong(
        "Block",
        misconception="rows-mix",
        edit=("self.attend(q, k, v)", "self.attend(q, k, v.mean(0, keepdim=True).expand_as(v))"),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "zero-times-infinity",
        edit=(SOFTMAX, "torch.softmax(scores + future * -math.inf, dim=-1)"),
    ),
    Wrong("causal_attention", LAST, "queries-taken-for-the-first", edit=(FUTURE, ".triu(1)")),
    Wrong(
        "causal_attention",
        LAST,
        "queries-taken-for-the-first",
        source="""
def causal_attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)
""",
    ),
    Wrong(
        "causal_attention",
        LAST,
        "one-length-only",
        edit=("torch.ones(T, S,", "torch.ones(T, T,"),
    ),
    Wrong("causal_attention", LARGE, "finite-mask", edit=("-math.inf", "-1e9")),
    Wrong("causal_attention", LARGE, "finite-mask", edit=("-math.inf", "-1e4")),
    Wrong(
        "causal_attention",
        LARGE,
        "exp-overflows",
        edit=(
            SOFTMAX,
            "torch.exp(scores.masked_fill(future, -math.inf))\n"
            "    weights = weights / weights.sum(dim=-1, keepdim=True)",
        ),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "keys-for-values",
        edit=("return weights @ v", "return weights @ k"),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "mask-in-some-shapes-only",
        edit=("dim=-1)", "dim=-1) if q.dim() > 3 else torch.softmax(scores, dim=-1)"),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "queries-and-keys-swapped",
        edit=("scores = q @ k.transpose(-2, -1)", "scores = (q @ k.transpose(-2, -1)).mT"),
    ),
    # Block
    Wrong(
        "Block",
        FORMULA,
        "one-head",
        edit=(SPLIT, "part(read)[:, None]"),
    ),
    Wrong("Block", FORMULA, "gelu-too-early", edit=(LAST_LINE, EARLY)),
    Wrong("Block", FORMULA, "no-maps-to-qkv", edit=(SPLIT, SPLIT.replace("part(read)", "read"))),
    Wrong(
        "Block",
        FORMULA,
        "qkv-swapped",
        edit=("(self.q, self.k, self.v)\n", "(self.k, self.q, self.v)\n"),
    ),
    Wrong("Block", FORMULA, "no-first-norm", edit=("read = self.ln_1(x)", "read = x")),
    Wrong("Block", FORMULA, "no-second-norm", edit=("self.up(self.ln_2(x))", "self.up(x)")),
    Wrong(
        "Block",
        FORMULA,
        "relu",
        edit=('F.gelu(self.up(self.ln_2(x)), approximate="tanh")', "F.relu(self.up(self.ln_2(x)))"),
    ),
    Wrong(
        "Block",
        TRIANGLE,
        "heads-without-transpose",
        edit=(
            (SPLIT, "part(read).view(B, self.heads, T, -1)"),
            (".transpose(1, 2).reshape(B, T, C)", ".reshape(B, T, C)"),
        ),
    ),
    Wrong(
        "Block",
        FORMULA,
        "merged-without-transpose",
        edit=(".transpose(1, 2).reshape(B, T, C)", ".reshape(B, T, C)"),
    ),
    Wrong(
        "Block",
        FORMULA,
        "heads-interleaved",
        edit=((SPLIT, "part(read).view(B, T, -1, self.heads).permute(0, 3, 1, 2)"),),
    ),
    Wrong(
        "Block",
        FORMULA,
        "post-norm",
        edit=(
            ("read = self.ln_1(x)", "read = x"),
            (ADDED, "        x = self.ln_1(x + self.out(y))\n"),
            (LAST_LINE, 'return self.ln_2(x + self.down(F.gelu(self.up(x), approximate="tanh")))'),
        ),
    ),
    Wrong("Block", FORMULA, "exact-gelu", edit=(', approximate="tanh"', "")),
    Wrong("Block", FORMULA, "no-first-residual", edit=(ADDED, "        x = self.out(y)\n")),
    Wrong(
        "Block", FORMULA, "no-second-residual", edit=("return x + self.down", "return self.down")
    ),
    Wrong(
        "Block",
        FORMULA,
        "parallel",
        edit=((ADDED, ""), ("return x + self.down", "return x + self.out(y) + self.down")),
    ),
    Wrong("Block", FORMULA, "first-norm-twice", edit=("self.ln_2(x)", "self.ln_1(x)")),
    Wrong("Block", FORMULA, "out-forgotten", edit=("x + self.out(y)", "x + y")),
    Wrong(
        "Block",
        KEPT,
        "cache-answer-ignored",
        edit=("k, v = cache.append", "cache.append"),
    ),
    Wrong("Block", KEPT, "cache-unused", edit=("if cache is not None:", "if False:")),
    Wrong("Block", KEPT, "layers-mixed", edit=("self.layer, k, v", "0, k, v")),
    # GPT2
    Wrong("GPT2", LOGITS, "positions-forgotten", edit=(" + self.wpe(positions)", "")),
    Wrong(
        "GPT2",
        ON,
        "positions-restart",
        edit=("torch.arange(start, start + T,", "torch.arange(T,"),
    ),
    Wrong("GPT2", LOGITS, "last-norm-forgotten", edit=(HEAD, "return x @ self.wte.weight.T")),
    Wrong(
        "GPT2", LOGITS, "softmax-applied", edit=(HEAD, f"{HEAD[:6]} torch.softmax({HEAD[7:]}, -1)")
    ),
    Wrong("GPT2", ON, "cache-not-handed-on", edit=("x = block(x, cache)", "x = block(x)")),
    Wrong(
        "GPT2",
        TRAINS,
        "gradient-cut",
        edit=(HEAD, "return (self.ln_f(x) @ self.wte.weight.T).detach()"),
    ),
    Wrong(
        "GPT2",
        BLIND,
        "leak",
        edit=(HEAD, "x = x - x.mean(dim=1, keepdim=True)\n        " + HEAD),
    ),
    Wrong(
        "GPT2",
        TRAINS,
        "head-untied",
        edit=(
            (
                'self.ln_f = nn.LayerNorm(config["n_embd"])',
                'self.ln_f = nn.LayerNorm(config["n_embd"])\n'
                "        V = config['vocab_size']\n"
                '        self.extra = nn.Linear(config["n_embd"], V, bias=False)',
            ),
            (HEAD, "return self.extra(self.ln_f(x))"),
            (
                "    def forward",
                "    def load_state_dict(self, state, **more):\n"
                "        state = {'extra.weight': state['wte.weight']} | dict(state)\n"
                "        return super().load_state_dict(state, **more)\n\n"
                "    def forward",
            ),
        ),
    ),
    Wrong(
        "GPT2",
        START,
        "not-initialized",
        edit=("nn.init.normal_(p, std=0.02) if p.ndim > 1 else nn.init.zeros_(p)", "pass"),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "positions-from-1",
        edit=(
            "self.wpe(positions)",
            "self.wpe((positions + 1).clamp_max(len(self.wpe.weight) - 1))",
        ),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "log-softmax",
        edit=(
            HEAD,
            f"{HEAD}.log_softmax(-1)".replace("return ", "return (").replace(".T.", ".T)."),
        ),
    ),
    Wrong(
        "GPT2", LOGITS, "one-block-for-all", edit=("x = block(x, cache)", "x = self.h[0](x, cache)")
    ),
    # gpt2_parameters
    Wrong(
        "gpt2_parameters",
        ONCE,
        "positions-as-many-as-tokens",
        edit=(COUNT, '(config["vocab_size"] + config["vocab_size"]) * C'),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "head-counted-twice",
        edit=(COUNT, '(2 * config["vocab_size"] + config["n_positions"]) * C'),
    ),
    Wrong("gpt2_parameters", ONCE, "positions-forgotten", edit=(COUNT, 'config["vocab_size"] * C')),
    Wrong("gpt2_parameters", ONCE, "biases-forgotten", edit=("13 * C", "4 * C")),
    Wrong("gpt2_parameters", ONCE, "last-norm-forgotten", edit=(" + 2 * C", "")),
    Wrong("gpt2_parameters", ONCE, "one-block", edit=(TOTAL, "+ block + 2 * C")),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "one-answer-only",
        source="def gpt2_parameters(config):\n    return 124_439_808",
    ),
    Wrong("gpt2_parameters", WHOLE, "float-count", edit=("12 * C**2", "12.0 * C**2")),
    # load_hf
    Wrong(
        "load_hf",
        VALUES,
        "conv1d-not-transposed",
        edit=(CONV, CONV.replace('".c_" in name', '".c_" in name and "attn.c_proj" not in name')),
    ),
    Wrong(
        "load_hf",
        VALUES,
        "conv1d-not-transposed",
        edit=(
            (TURNED, "            pass\n"),
            ("value.chunk(3)", "value.chunk(3, dim=-1)"),
        ),
    ),
    Wrong(
        "load_hf",
        VALUES,
        "conv1d-not-transposed",
        edit=(CONV, CONV.replace('".c_" in name', '"c_attn" in name')),
    ),
    Wrong("load_hf", VALUES, "qkv-order", edit=('zip("qkv"', 'zip("vqk"')),
    Wrong(
        "load_hf",
        VALUES,
        "qkv-cut-wrong",
        edit=(PARTS, 'zip("qkv", (value[0::3], value[1::3], value[2::3]), strict=True)'),
    ),
    Wrong(
        "load_hf",
        VALUES,
        "tables-transposed",
        edit=('if ".c_" in name and name.endswith(".weight"):', "if value.ndim == 2:"),
    ),
    Wrong(
        "load_hf",
        NAMES,
        "qkv-bias-dropped",
        edit=(
            SKIP,
            'if "attn.bias" in name or "c_attn.bias" in name or "_head" in name or "mask" in name:',
        ),
    ),
    Wrong(
        "load_hf",
        FILES,
        "masks-kept",
        edit=(SKIP, 'if name == "lm_head.weight":'),
    ),
    Wrong(
        "load_hf",
        FILES,
        "head-kept",
        edit=(SKIP, 'if name.endswith((".attn.bias", ".attn.masked_bias")):'),
    ),
    Wrong(
        "load_hf",
        FILES,
        "prefix-kept",
        edit=('name = name.removeprefix("transformer.")', "name = str(name)"),
    ),
    # sequence_nll
    Wrong(
        "sequence_nll",
        NLL,
        "targets-not-shifted",
        edit=(SHIFTED, "model(tokens)[:, given:]"),
    ),
    Wrong(
        "sequence_nll",
        SUMS,
        "targets-not-shifted",
        edit=(SHIFTED, "model(tokens)[:, given:]"),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "loss-on-the-prompt",
        edit=((SHIFTED, "model(tokens)[:, :-1]"), ("tokens[:, given:]", "tokens[:, 1:]")),
    ),
    Wrong("sequence_nll", NLL, "mean-for-sum", edit=(".sum(dim=1)", ".mean(dim=1)")),
    Wrong("sequence_nll", NLL, "summed-over-batch", edit=(".sum(dim=1)", ".sum()")),
    Wrong(
        "sequence_nll",
        NLL,
        "averaged-over-batch",
        edit=(CROSS, "F.cross_entropy(logits.transpose(1, 2), targets)"),
    ),
    Wrong("sequence_nll", NLL, "sign", edit=("return F.cross", "return -F.cross")),
    Wrong("sequence_nll", NLL, "bits-for-nats", edit=(".sum(dim=1)", ".sum(dim=1) / math.log(2)")),
    Wrong(
        "sequence_nll",
        FINITE,
        "softmax-then-log",
        edit=(CROSS, "-logits.softmax(-1).gather(2, targets[..., None])[..., 0].log().sum(1)"),
    ),
    Wrong(
        "sequence_nll",
        FINITE,
        "softmax-then-log",
        edit=(
            CROSS,
            "-(logits.softmax(-1).gather(2, targets[..., None])[..., 0] + 1e-9).log().sum(1)",
        ),
    ),
    # perplexity
    Wrong("perplexity", PP, "exp-of-the-sum", edit=(".item() / scored", ".item()")),
    Wrong("perplexity", PP, "given-counted", edit=("tokens.shape[1] - given", "tokens.shape[1]")),
    Wrong(
        "perplexity",
        PP,
        "one-token-too-few",
        edit=("tokens.shape[1] - given", "tokens.shape[1] - 1"),
    ),
    Wrong(
        "perplexity",
        PP,
        "mean-of-perplexities",
        source="""
def perplexity(model, tokens, given=1):
    each = sequence_nll(model, tokens, given) / (tokens.shape[1] - given)
    return each.exp().mean().item()
""",
    ),
    Wrong("perplexity", EVEN, "base-2", edit=("math.exp(", "2 ** (")),
    Wrong("perplexity", EVEN, "no-exp", edit=("math.exp(", "(")),
    Wrong("perplexity", PP, "batch-forgotten", edit=("tokens.shape[0] * ", "")),
    Wrong(
        "perplexity", PP, "base-mixed", edit=(".item() / scored", ".item() / scored / math.log(2)")
    ),
    Wrong(
        "perplexity",
        PP,
        "exp-before-the-mean",
        source="""
def perplexity(model, tokens, given=1):
    log_p = model(tokens)[:, given - 1 : -1].log_softmax(-1)
    return (-log_p.gather(2, tokens[:, given:, None])).exp().mean().item()
""",
    ),
    # generate
    *(
        Wrong("generate", DRAWN, "samples-that-know-each-other", source=TOGETHER.format(how=how))
        for how in ("twice", "mirrored", "sorted")
    ),
    Wrong("generate", GREEDY, "first-position-read", edit=("))[:, -1]", "))[:, 0]")),
    Wrong(
        "generate",
        GREEDY,
        "prompt-dropped",
        edit=("return tokens", "return tokens[:, tokens.shape[1] - count :]"),
    ),
    Wrong(
        "generate",
        DRAWN,
        "likeliest-for-drawn",
        edit=("choose(logits, generator)", "logits.argmax(-1, keepdim=True)"),
    ),
    Wrong(
        "generate",
        DRAWN,
        "generator-ignored",
        edit=(
            "choose(logits, generator)",
            "choose(logits, generator and torch.Generator().manual_seed(torch.seed() % 2**40))",
        ),
    ),
    Wrong(
        "generate",
        GREEDY,
        "one-pass-for-all",
        source="""
@torch.no_grad()
def generate(model, tokens, count, generator=None):
    logits = model(window(tokens, model.config["n_positions"]))[:, -1]
    more = [choose(logits, generator) for _ in range(count)]
    return torch.cat([tokens, *more], dim=1)
""",
    ),
    Wrong(
        "generate",
        BEYOND,
        "window-forgotten",
        edit=(NEXT, "logits = model(tokens)[:, -1]"),
    ),
    Wrong(
        "generate",
        BEYOND,
        "slides-by-one",
        edit=(NEXT, 'logits = model(tokens[:, -model.config["n_positions"] :])[:, -1]'),
    ),
    Wrong(
        "generate",
        BEYOND,
        "window-returned",
        edit=(
            NEXT,
            'tokens = window(tokens, model.config["n_positions"])\n'
            "        logits = model(tokens)[:, -1]",
        ),
    ),
    # Cache
    Wrong("Cache", APPEND, "wrong-axis", edit=(BEHIND, BEHIND.replace("dim=2", "dim=1"))),
    Wrong("Cache", APPEND, "wrong-axis", edit=(BEHIND, BEHIND.replace("dim=2", "dim=-1"))),
    Wrong("Cache", APPEND, "wrong-axis", edit=(BEHIND, BEHIND.replace("dim=2", "dim=0"))),
    Wrong("Cache", APPEND, "newest-only", edit=("if layer in self.pairs:", "if False:")),
    Wrong(
        "Cache",
        APPEND,
        "newest-first",
        edit=(BEHIND, "k, v = torch.cat([k, old_k], dim=2), torch.cat([v, old_v], dim=2)"),
    ),
    Wrong(
        "Cache",
        APPEND,
        "layers-mixed",
        edit=(
            ("if layer in self.pairs:", "if 0 in self.pairs:"),
            ("self.pairs[layer]\n            k, v", "self.pairs[0]\n            k, v"),
            ("self.pairs[layer] = (k, v)", "self.pairs[0] = (k, v)"),
        ),
    ),
    Wrong(
        "Cache",
        APPEND,
        "kept-otherwise",
        edit=("self.pairs[layer] = (k, v)", "self.pairs[layer] = (k, v[..., -1:, :])"),
    ),
    Wrong("Cache", APPEND, "length-otherwise", edit=("[0][0].shape[2]", "[0][0].shape[1]")),
    Wrong(
        "Cache",
        REORDER,
        "rows-the-other-way",
        edit=("k[rows], v[rows]", "k[rows.argsort()], v[rows.argsort()]"),
    ),
    Wrong(
        "Cache",
        REORDER,
        "values-not-reordered",
        edit=("(k[rows], v[rows])", "(k[rows], v[rows * 0])"),
    ),
    Wrong("Cache", REORDER, "not-reordered", edit=(ROWS, "dict(self.pairs)")),
    Wrong(
        "Cache",
        FRESH,
        "cache-shared",
        edit=(
            (
                "    def __init__(self):\n"
                "        self.pairs = {}  # layer → (k, v), each (B, H, S, d)\n",
                "    pairs = {}\n",
            ),
            (
                f"self.pairs = {ROWS}",
                f"changed = {ROWS}\n        self.pairs.clear()\n        self.pairs.update(changed)",
            ),
        ),
    ),
    # generate_cached
    Wrong("generate_cached", READ, "cache-unused", edit=(NEWEST, "model(seen)")),
    Wrong(
        "generate_cached",
        READ,
        "cache-unused",
        source="""
def generate_cached(model, tokens, count, generator=None):
    return generate(model, tokens, count, generator)
""",
    ),
    Wrong(
        "generate_cached",
        SAME,
        "read-again",
        edit=(NEWEST, "model(seen if cache.length == 0 else seen[:, -2:], cache)"),
    ),
    Wrong("generate_cached", SAME, "prompt-lost", edit=(NEWEST, "model(seen[:, -1:])")),
    Wrong("generate_cached", JUMP, "stale-cache", edit=(JUMPED, "")),
    # find_the_leak
    Wrong("find_the_leak", OPEN, "own-token-forbidden", edit=("own=True", "own=False")),
    Wrong(
        "find_the_leak",
        HIDDEN,
        "closed-gate",
        edit=("vocabulary=V)", "vocabulary=V, randomize=False)"),
    ),
    Wrong("find_the_leak", OPEN, "too-short", edit=("(2, length)", "(2, 4)")),
    Wrong(
        "find_the_leak",
        OPEN,
        "nobody-accused",
        edit=("if not seen.is_autoregressive(own=True):", "if seen.rows_mix:"),
    ),
    Wrong(
        "find_the_leak",
        HIDDEN,
        "gradients-only",
        source="""
def find_the_leak(models):
    leaky = []
    for name, model in models.items():
        tokens = torch.randint(model.config["vocab_size"], (1, model.config["n_positions"]))
        kept = []
        watch = lambda module, given, out: kept.append(out.requires_grad_()) or out
        hook = model.tokens.register_forward_hook(watch)
        logits = model(tokens)
        hook.remove()
        for t in range(logits.shape[1] - 1):
            grad = torch.autograd.grad(logits[0, t].sum(), kept[0], retain_graph=True)[0]
            if (grad[0, t + 1 :] != 0).any():
                leaky.append(name)
                break
    return leaky
""",
    ),
    Wrong(
        "Block",
        FORMULA,
        "no-activation",
        edit=('F.gelu(self.up(self.ln_2(x)), approximate="tanh")', "self.up(self.ln_2(x))"),
    ),
    Wrong(
        "Block",
        FORMULA,
        "norms-swapped",
        edit=(
            ("read = self.ln_1(x)", "read = self.ln_2(x)"),
            ("self.up(self.ln_2(x))", "self.up(self.ln_1(x))"),
        ),
    ),
    Wrong(
        "Block",
        FORMULA,
        "tanh-for-gelu",
        edit=(
            'F.gelu(self.up(self.ln_2(x)), approximate="tanh")',
            "torch.tanh(self.up(self.ln_2(x)))",
        ),
    ),
    Wrong(
        "Block",
        FORMULA,
        "residual-of-the-norm",
        edit=(
            'return x + self.down(F.gelu(self.up(self.ln_2(x)), approximate="tanh"))',
            (
                "x = self.ln_2(x)\n"
                '        return x + self.down(F.gelu(self.up(x), approximate="tanh"))'
            ),
        ),
    ),
    Wrong(
        "Cache",
        APPEND,
        "keys-for-values",
        edit=("        return k, v", "        return v, k"),
    ),
    Wrong(
        "Cache",
        APPEND,
        "keys-for-values",
        edit=("        return k, v", "        return k, k"),
    ),
    Wrong(
        "Cache",
        REORDER,
        "one-layer-reordered",
        edit=(
            ("self.pairs = {layer: (k[rows], v[rows]) for layer, (k, v) in self.pairs.items()}"),
            ("k, v = self.pairs[0]\n        self.pairs[0] = k[rows], v[rows]"),
        ),
    ),
    Wrong(
        "Cache",
        REORDER,
        "other-axis-reordered",
        edit=("(k[rows], v[rows])", "(k[:, rows], v[:, rows])"),
    ),
    Wrong(
        "Cache",
        APPEND,
        "returned-otherwise",
        edit=(
            (
                "            k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], "
                "dim=2)\n"
                "        self.pairs[layer] = (k, v)\n"
            ),
            (
                "            self.pairs[layer] = torch.cat([old_k, k], dim=2), "
                "torch.cat([old_v, v], dim=2)\n"
                "        else:\n"
                "            self.pairs[layer] = (k, v)\n"
            ),
        ),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "blocks-reversed",
        edit=("for block in self.h:", "for block in reversed(self.h):"),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "first-block-only",
        edit=("for block in self.h:", "for block in self.h[:1]:"),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "last-block-only",
        edit=("for block in self.h:", "for block in self.h[-1:]:"),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "no-blocks",
        edit=("for block in self.h:", "for block in self.h[:0]:"),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "one-position-for-all",
        edit=("self.wpe(positions)", "self.wpe(positions[:1])"),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "positions-subtracted",
        edit=("self.wte(tokens) + self.wpe(positions)", "self.wte(tokens) - self.wpe(positions)"),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "tokens-forgotten",
        edit=(
            "self.wte(tokens) + self.wpe(positions)",
            "self.wpe(positions).expand(len(tokens), -1, -1)",
        ),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "no-output-projection",
        edit=("12 * C**2 + 13 * C", "11 * C**2 + 12 * C"),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "norm-shifts-forgotten",
        edit=(
            ("13 * C", "11 * C"),
            ("+ 2 * C", "+ C"),
        ),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "norms-forgotten",
        edit=(
            ("13 * C", "9 * C"),
            (" + 2 * C", ""),
        ),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "norms-of-blocks-forgotten",
        edit=("13 * C", "9 * C"),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "output-bias",
        edit=("+ 2 * C", '+ 2 * C + config["vocab_size"]'),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "some-biases-forgotten",
        edit=("13 * C", "10 * C"),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "times-heads",
        edit=("12 * C**2 + 13 * C", '(9 + 3 * config["n_head"]) * C**2 + 13 * C'),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "weights-only",
        edit=(
            (" + 13 * C", ""),
            (" + 2 * C", ""),
        ),
    ),
    Wrong(
        "load_hf",
        VALUES,
        "conv1d-not-transposed",
        edit=(
            'if ".c_" in name and name.endswith(".weight"):',
            'if ".c_" in name and ".mlp." not in name and name.endswith(".weight"):',
        ),
    ),
    Wrong(
        "load_hf",
        VALUES,
        "conv1d-not-transposed",
        edit=(
            'if ".c_" in name and name.endswith(".weight"):',
            'if ".c_" in name and "mlp.c_fc" not in name and name.endswith(".weight"):',
        ),
    ),
    Wrong(
        "load_hf",
        VALUES,
        "conv1d-not-transposed",
        edit=(
            'if ".c_" in name and name.endswith(".weight"):',
            'if ".c_" in name and "mlp.c_proj" not in name and name.endswith(".weight"):',
        ),
    ),
    Wrong(
        "load_hf",
        VALUES,
        "conv1d-not-transposed",
        edit=("value = value.T  #", "value = value  #"),
    ),
    Wrong(
        "load_hf",
        NAMES,
        "names-kept",
        edit=(
            (
                "        for theirs, mine in RENAMED.items():\n"
                "            name = name.replace(theirs, mine)\n"
            ),
            "",
        ),
    ),
    Wrong(
        "load_hf",
        NAMES,
        "qkv-not-split",
        edit=('if "attn.c_attn" in name:', 'if name == "attn.c_attn":'),
    ),
    Wrong(
        "perplexity",
        PP,
        "sign",
        edit=("math.exp(sequence_nll", "math.exp(-sequence_nll"),
    ),
    Wrong(
        "perplexity",
        PP,
        "sum-over-batch",
        edit=("scored = tokens.shape[0] * (tokens.shape[1] - given)", "scored = tokens.shape[0]"),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "last-token-left-out",
        edit=(
            ("given - 1 : -1]", "given - 1 : -2]"),
            ("tokens[:, given:]", "tokens[:, given:-1]"),
        ),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "one-token-short",
        edit=(
            ("given - 1 : -1]", "given:-1]"),
            ("tokens[:, given:]", "tokens[:, given + 1 :]"),
        ),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "probability-for-nll",
        edit=(
            (
                "return F.cross_entropy(logits.transpose(1, 2), targets, "
                'reduction="none").sum(dim=1)'
            ),
            (
                "return torch.exp(-F.cross_entropy(logits.transpose(1, 2), targets, "
                'reduction="none").sum(1))'
            ),
        ),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "no-softmax",
        edit=(
            "torch.softmax(scores.masked_fill(future, -math.inf), dim=-1)",
            "scores.masked_fill(future, 0.0)",
        ),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "scale-multiplied",
        edit=("/ math.sqrt(q.shape[-1])", "* math.sqrt(q.shape[-1])"),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "scaled-by-length",
        edit=("math.sqrt(q.shape[-1])", "math.sqrt(S)"),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "triu-for-tril",
        edit=(".triu(S - T + 1)", ".tril(S - T)"),
    ),
    Wrong(
        "generate",
        GREEDY,
        "even-draws",
        edit=("choose(logits, generator)", "choose(0 * logits, generator)"),
    ),
    Wrong(
        "generate",
        GREEDY,
        "least-likely",
        edit=("choose(logits, generator)", "choose(-logits, generator)"),
    ),
    Wrong(
        "generate",
        GREEDY,
        "newest-before-the-others",
        edit=(
            "torch.cat([tokens, choose(logits, generator)], dim=1)",
            "torch.cat([choose(logits, generator), tokens], dim=1)",
        ),
    ),
    Wrong(
        "generate",
        GREEDY,
        "nothing-written",
        edit=("    return tokens", "    return tokens[:, : tokens.shape[1] - count]"),
    ),
    Wrong(
        "generate",
        GREEDY,
        "nothing-written",
        edit=(
            "tokens = torch.cat([tokens, choose(logits, generator)], dim=1)",
            "torch.cat([tokens, choose(logits, generator)], dim=1)",
        ),
    ),
    Wrong(
        "generate",
        GREEDY,
        "one-token-too-many",
        edit=("range(count)", "range(count + 1)"),
    ),
    Wrong(
        "generate",
        GREEDY,
        "passes",
        edit=("        logits = model(", ("        model(tokens[:, :1])\n        logits = model(")),
    ),
    Wrong(
        "generate",
        GREEDY,
        "one-token-only",
        edit=("range(count)", "range(1)"),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "tokens-forgotten",
        edit=('(config["vocab_size"] + config["n_positions"])', 'config["n_positions"]'),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "norm-shifts-forgotten",
        edit=("+ 2 * C", "+ C"),
    ),
    Wrong(
        "Block",
        KEPT,
        "cache-answer-ignored",
        edit=("k, v = cache.append(self.layer", "k, _ = cache.append(self.layer"),
    ),
    Wrong("Block", KEPT, edit=("k, v = cache.append(self.layer", "v, k = cache.append(self.layer")),
    Wrong(
        "GPT2",
        LOGITS,
        "positions-from-1",
        edit=("torch.arange(start, start + T", "torch.arange(start + 1, start + T + 1"),
    ),
    Wrong("gpt2_parameters", ONCE, "a-matrix-forgotten", edit=("12 * C**2", "11 * C**2")),
    Wrong("gpt2_parameters", ONCE, "a-matrix-forgotten", edit=("12 * C**2", "8 * C**2")),
    Wrong(
        "load_hf",
        VALUES,
        "conv1d-not-transposed",
        edit=('if ".c_" in name and', 'if ".c_" in name and "c_proj" not in name and'),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "scaled-by-values",
        edit=("math.sqrt(q.shape[-1])", "math.sqrt(v.shape[-1])"),
    ),
    Wrong(
        "load_hf",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=(
            "    for name, value in state_dict.items():",
            "    for name in list(state_dict):\n        value = state_dict.pop(name)",
        ),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "norm-shifts-forgotten",
        edit=('config["n_positions"]) * C', 'config["n_positions"] - 1) * C'),
    ),
    Wrong(
        "causal_attention",
        LAST,
        "masked-where-square",
        edit=(
            "    weights =",
            "    future = future if T == S else torch.zeros_like(future)\n    weights =",
        ),
    ),
    Wrong("Block", FORMULA, "residual-of-the-norm", edit=("x + self.out(y)", "read + self.out(y)")),
    Wrong(
        "Block",
        FORMULA,
        "gelu-too-late",
        edit=(
            'self.down(F.gelu(self.up(self.ln_2(x)), approximate="tanh"))',
            'F.gelu(self.down(self.up(self.ln_2(x))), approximate="tanh")',
        ),
    ),
    Wrong("Block", FORMULA, "heads-for-width", edit=("self.heads, -1", "-1, self.heads")),
    Wrong(
        "Block",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=("x = x + self.out(y)", "x += self.out(y)"),
    ),
    Wrong(
        "Block",
        "self.attend is the attention of the block",
        "another-attention",
        edit=("self.attend(q, k, v)", "causal_attention(q, k, v)"),
    ),
    Wrong(
        "Block",
        KEPT,
        "empty-cache-left-out",
        edit=("if cache is not None:", "if cache is not None and cache.length:"),
    ),
    Wrong(
        "Cache",
        APPEND,
        "layers-mixed",
        edit=("old_k, old_v = self.pairs[layer]", "old_k, old_v = self.pairs[0]"),
    ),
    Wrong(
        "Cache", APPEND, "keys-for-values", edit=("torch.cat([old_v, v]", "torch.cat([old_v, k]")
    ),
    Wrong(
        "Cache",
        APPEND,
        "kept-otherwise",
        edit=("self.pairs[layer] = (k, v)", "self.pairs.setdefault(layer, (k, v))"),
    ),
    Wrong(
        "Cache",
        APPEND,
        "kept-otherwise",
        edit=("old_k, old_v = self.pairs[layer]", "old_v, old_k = self.pairs[layer]"),
    ),
    Wrong(
        "Cache",
        REORDER,
        "other-axis-reordered",
        edit=("(k[rows], v[rows])", "(k.index_select(2, rows), v.index_select(2, rows))"),
    ),
    Wrong(
        "Cache",
        REORDER,
        "rows-written-in",
        edit=(
            f"self.pairs = {ROWS}",
            "for k, v in self.pairs.values():\n"
            "            k[:], v[:] = k[rows].clone(), v[rows].clone()",
        ),
    ),
    Wrong(
        "Cache",
        REORDER,
        "rows-the-other-way",
        edit=(
            f"self.pairs = {ROWS}",
            "for layer, (k, v) in self.pairs.items():\n"
            "            new = k.clone(), v.clone()\n"
            "            new[0][rows], new[1][rows] = k, v\n"
            "            self.pairs[layer] = new",
        ),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "past-cut-off",
        edit=(
            (
                "    logits = model(tokens)[:, given - 1 : -1]",
                "    tokens = tokens[:, given - 1 :]\n    logits = model(tokens)[:, :-1]",
            ),
            ("tokens[:, given:]", "tokens[:, 1:]"),
        ),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "targets-shifted-back",
        edit=(
            ("[:, given - 1 : -1]", "[:, given:]"),
            ("targets = tokens[:, given:]", "targets = tokens[:, given - 1 : -1]"),
        ),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "one-token-too-many",
        edit=(
            ("[:, given - 1 : -1]", "[:, given - 1 :]"),
            ("targets = tokens[:, given:]", "targets = tokens.roll(-1, 1)[:, given - 1 :]"),
        ),
    ),
    Wrong("sequence_nll", NLL, "not-summed", edit=(".sum(dim=1)", "")),
    Wrong(
        "sequence_nll", NLL, "classes-on-the-wrong-axis", edit=("logits.transpose(1, 2)", "logits")
    ),
    *(
        Wrong("GPT2", LOGITS, name, edit=edit)
        for name, edit in (
            (
                "embedding-scaled",
                (
                    TOKEN_AND_PLACE,
                    TOKEN_AND_PLACE.replace(") +", ') * self.config["n_embd"] ** 0.5 +'),
                ),
            ),
            (
                "positions-of-tokens",
                (
                    TOKEN_AND_PLACE,
                    "self.wte(tokens) + self.wpe(tokens.clamp(max=len(self.wpe.weight) - 1))",
                ),
            ),
            (
                "positions-of-rows",
                (
                    TOKEN_AND_PLACE,
                    "self.wte(tokens) + self.wpe(torch.arange(len(tokens))[:, None] + start)",
                ),
            ),
            ("residual-around", ("x = block(x, cache)", "x = x + block(x, cache)")),
            (
                "last-norm-in-each",
                (
                    ("x = block(x, cache)", "x = self.ln_f(block(x, cache))"),
                    (HEAD, "return x @ self.wte.weight.T"),
                ),
            ),
            (
                "positions-again",
                (
                    (TOKEN_AND_PLACE, "self.wte(tokens)"),
                    ("x = block(x, cache)", "x = block(x + self.wpe(positions), cache)"),
                ),
            ),
        )
    ),
    *(
        Wrong("gpt2_parameters", ONCE, name, edit=edit)
        for name, edit in (
            (
                "times-heads",
                (
                    "12 * C**2 + 13 * C",
                    "(9 + 3 * config['n_head']) * C**2 + (10 + 3 * config['n_head']) * C",
                ),
            ),
            (
                "vocabulary-padded",
                (
                    COUNT,
                    COUNT.replace('config["vocab_size"]', '(config["vocab_size"] + 63) // 64 * 64'),
                ),
            ),
            ("masks-counted", ("13 * C", '13 * C + config["n_positions"] ** 2')),
            ("last-norm-in-each", (("13 * C", "15 * C"), (" + 2 * C", ""))),
            ("last-norm-in-each", ("13 * C", "15 * C")),
            ("narrow-network", ("12 * C**2 + 13 * C", "6 * C**2 + 10 * C")),
        )
    ),
    *(
        Wrong(
            "gpt2_parameters",
            ONCE,
            "rounded-count",
            edit=((f"return {COUNT}", f"return {how}({COUNT}"), ("+ 2 * C", "+ 2 * C) / 1e6)")),
        )
        for how in ("round(", "int(")
    ),
    *(
        Wrong("load_hf", fails, name, edit=edit)
        for fails, name, edit in (
            (
                VALUES,
                "tables-transposed",
                ('if ".c_" in name and name', 'if (".c_" in name or "wpe" in name) and name'),
            ),
            (
                VALUES,
                "tables-transposed",
                ('if ".c_" in name and name', 'if (".c_" in name or "wte" in name) and name'),
            ),
            (
                VALUES,
                "names-exchanged",
                (
                    "in RENAMED.items()",
                    'in {**RENAMED, "mlp.c_fc": "down", "mlp.c_proj": "up"}.items()',
                ),
            ),
            (
                VALUES,
                "conv1d-not-transposed",
                ("value = value.T", "value = value.reshape(value.shape[::-1])"),
            ),
            (
                VALUES,
                "query-scaled",
                (
                    "            for letter",
                    "            q, *kv = value.chunk(3)\n"
                    "            value = torch.cat([q / math.sqrt(len(q)), *kv])\n"
                    "            for letter",
                ),
            ),
            (
                NAMES,
                "prefix-always-cut",
                ('name.removeprefix("transformer.")', 'name[len("transformer.") :]'),
            ),
            (
                NAMES,
                "one-digit-only",
                (
                    '        if "attn.c_attn" in name:',
                    '        if "attn.c_attn" in name and name[3] == ".":',
                ),
            ),
        )
    ),
    *(
        Wrong("perplexity", PP, name, edit=edit)
        for name, edit in (
            (
                "given-not-handed-on",
                ("sequence_nll(model, tokens, given)", "sequence_nll(model, tokens)"),
            ),
            (
                "first-row-only",
                ((".sum().item()", "[0].item()"), ("tokens.shape[0] * ", "")),
            ),
            (
                "last-row-only",
                ((".sum().item()", "[-1].item()"), ("tokens.shape[0] * ", "")),
            ),
        )
    ),
    Wrong(
        "gpt2_parameters",
        WHOLE,
        "float-on-the-way",
        edit=(("return ", "return int("), ("+ 2 * C", "+ 2.0 * C)")),
    ),
    Wrong(
        "sequence_nll",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=("return F", "tokens[:, :given] = -100\n    return F"),
    ),
    Wrong(
        "sequence_nll",
        "a gradient goes back through it",
        "gradient-cut",
        edit=(SHIFTED, f"{SHIFTED}.detach()"),
    ),
    Wrong(
        "perplexity",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=("    return math", "    tokens[:, :given] = 0\n    return math"),
    ),
    *(
        Wrong("sequence_nll", NLL, name, edit=edit)
        for name, edit in (
            ("token-0-ignored", ('reduction="none"', 'reduction="none", ignore_index=0')),
            ("rows-mixed", (".sum(dim=1)", ".reshape(-1, len(tokens)).sum(0)")),
            ("mean-for-sum", (".sum(dim=1)", ".mean(dim=1) * tokens.shape[1]")),
            (
                "softmax-over-time",
                (
                    CROSS,
                    "-model(tokens).log_softmax(1)[:, given - 1 : -1]"
                    ".gather(2, targets[..., None])[..., 0].sum(1)",
                ),
            ),
            (
                "given-scored",
                (
                    ("[:, given - 1 : -1]", "[:, :-1]"),
                    ("tokens[:, given:]", "tokens[:, 1:]"),
                    (".sum(dim=1)", "[:, :given].sum(1)"),
                ),
            ),
            (
                "given-scored",
                (
                    ("[:, given - 1 : -1]", "[:, : given - 1]"),
                    ("tokens[:, given:]", "tokens[:, 1:given]"),
                ),
            ),
        )
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "random-answer",
        edit=("return weights", "return F.dropout(weights, 0.1)"),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "looks-back-so-far",
        edit=(
            SOFTMAX,
            SOFTMAX.replace("future", "future | torch.ones_like(future).tril(S - T - 8)"),
        ),
    ),
    Wrong(
        "causal_attention",
        LAST,
        "queries-taken-for-the-first",
        source="""
def causal_attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, is_causal=q.shape[-2] > 1)
""",
    ),
    Wrong(
        "Block",
        FORMULA,
        "random-answer",
        edit=("x = x + self.out(y)", "x = x + F.dropout(self.out(y), 0.1)"),
    ),
    Wrong(
        "Block",
        FORMULA,
        "heads-interleaved",
        edit=(
            (SPLIT, "part(read).view(B, T, -1, self.heads).permute(0, 3, 1, 2)"),
            (".transpose(1, 2).reshape(B, T, C)", ".permute(0, 2, 3, 1).reshape(B, T, C)"),
        ),
    ),
    *(
        Wrong(
            "Block",
            FORMULA,
            "no-first-norm",
            edit=("part(read)", f"part(x if part {of} else read)"),
        )
        for of in ("is self.v", "is self.q", "is self.k", "is not self.q")
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "random-answer",
        edit=(HEAD, "return self.ln_f(x) @ torch.randn_like(self.wte.weight).T"),
    ),
    Wrong(
        "GPT2",
        ON,
        "positions-late",
        edit=(
            "positions = torch.arange(start,",
            "start += cache is not None\n        positions = torch.arange(start,",
        ),
    ),
    Wrong(
        "GPT2",
        ON,
        "cache-not-handed-on",
        edit=("block(x, cache)", "block(x, cache if block.layer == 0 else None)"),
    ),
    Wrong("GPT2", TRAINS, "gradient-cut", edit=(HEAD, HEAD.replace(".weight", ".weight.detach()"))),
    Wrong(
        "Cache",
        APPEND,
        "oldest-dropped",
        edit=(
            "self.pairs[layer] = (k, v)",
            "self.pairs[layer] = k, v = k[:, :, -16:], v[:, :, -16:]",
        ),
    ),
    Wrong(
        "generate",
        DRAWN,
        "likeliest-only",
        edit=(
            "choose(logits, generator)",
            "choose(logits.masked_fill(logits < logits.topk(min(5, logits.shape[1]))[0][:, -1:], "
            "-math.inf), generator)",
        ),
    ),
    Wrong(
        "perplexity",
        stops="ZeroDivisionError",
        edit=(
            "math.exp(sequence_nll(model, tokens, given).sum().item() / scored)",
            "(1 / math.exp(-sequence_nll(model, tokens, given).sum().item())) ** (1 / scored)",
        ),
    ),
    Wrong(
        "load_hf",
        NAMES,
        "names-doubled",
        edit=("in RENAMED.items()", 'in {**RENAMED, "mlp.c_proj": "out"}.items()'),
    ),
    Wrong(
        "Cache",
        REORDER,
        "one-layer-reordered",
        edit=(
            ("        return k, v\n", "        self.last = layer\n        return k, v\n"),
            ("(k[rows], v[rows])", "(k[rows], v[rows]) if layer == self.last else (k, v)"),
        ),
    ),
    Wrong(
        "Cache",
        REORDER,
        "rows-once",
        edit=("(k[rows], v[rows])", "(k[rows.unique()], v[rows.unique()])"),
    ),
    Wrong("Cache", APPEND, "kept-otherwise", edit=("torch.cat([old_v, v]", "torch.cat([old_k, v]")),
    Wrong(
        "generate_cached",
        JUMP,
        "cache-from-before",
        edit=(
            ("generator=None):", "generator=None, cache=Cache()):"),
            ("    cache = Cache()\n    for", "    for"),
        ),
    ),
    Wrong(
        "generate_cached",
        JUMP,
        "window-not-read",
        edit=(
            "            cache = Cache()\n        logits",
            "            cache, seen = Cache(), seen[:, -1:]\n        logits",
        ),
    ),
    Wrong("generate_cached", SAME, "prompt-lost", edit=(NEWEST, "model(tokens[:, -1:], cache)")),
    Wrong(
        "generate_cached",
        READ,
        "one-pass-too-many",
        edit=(
            (
                "    return tokens",
                "    if 0 < count and cache.length < model.config['n_positions']:\n"
                "        model(tokens[:, -1:], cache)\n    return tokens",
            )
        ),
    ),
    Wrong("generate_cached", SAME, "first-pass-at-0", edit=(f"{NEWEST}[:, -1]", f"{NEWEST}[:, 0]")),
    Wrong("find_the_leak", OPEN, "honest-named", edit=("if not seen", "if seen")),
    Wrong(
        "find_the_leak", OPEN, "one-model-asked", edit=("    return leaky", "        return leaky")
    ),
    Wrong(
        "generate", DRAWN, "softmax-twice", edit=("choose(logits,", "choose(logits.softmax(-1),")
    ),
    Wrong(
        "generate",
        GREEDY,
        "first-row-for-all",
        edit=("choose(logits, generator)", "choose(logits[:1], generator).expand(len(tokens), 1)"),
    ),
    Wrong(
        "generate", GREEDY, "count-in-all", edit=("range(count)", "range(count - tokens.shape[1])")
    ),
    Wrong(
        "generate",
        GREEDY,
        "stops-at-a-token",
        edit=(
            "    return tokens",
            "        if (tokens[:, -1] == 0).all():\n            break\n    return tokens",
        ),
    ),
    Wrong(
        "generate",
        GREEDY,
        "stops-at-a-token",
        edit=(
            "    return tokens",
            "        if (tokens[:, -1] == logits.shape[1] - 1).any():\n"
            "            break\n    return tokens",
        ),
    ),
    Wrong("generate", BEYOND, "window-short", edit=(NEXT, NEXT.replace('"]))', '"] - 1))'))),
    Wrong(
        "sequence_nll",
        "a gradient goes back through it",
        "gradient-cut",
        source="""
@torch.no_grad()
def sequence_nll(model, tokens, given=1):
    log_p = model(tokens)[:, given - 1 : -1].log_softmax(-1)
    return -log_p.gather(-1, tokens[:, given:, None]).sum((1, 2))
""",
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "mean-for-sum",
        edit=(".sum(dim=1)", ".mean(dim=1) * (tokens.shape[1] - 1)"),
    ),
    Wrong("sequence_nll", NLL, "averaged-over-batch", edit=(".sum(dim=1)", ".sum(dim=1).mean()")),
    Wrong(
        "perplexity",
        PP,
        "zeros-not-counted",
        edit=(SCORED, "scored = int((tokens[:, given:] != 0).sum())"),
    ),
    Wrong(
        "generate", GREEDY, "prompt-dropped", edit=("return tokens", "return tokens[:, -count:]")
    ),
    Wrong(
        "generate",
        GREEDY,
        "stops-at-a-token",
        edit=(
            "        tokens = torch.cat",
            "        if (logits.argmax(-1) == 0).all():\n            break\n"
            "        tokens = torch.cat",
        ),
    ),
    Wrong(
        "sequence_nll",
        "a gradient goes back through it",
        "gradient-cut-in-part",
        source="""
def sequence_nll(model, tokens, given=1):
    logits = model(tokens)[:, given - 1 : -1]
    logits = logits - logits.logsumexp(-1, keepdim=True).detach()
    return -logits.gather(2, tokens[:, given:, None])[..., 0].sum(1)
""",
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "last-norm-in-each",
        edit=("x = block(x, cache)", "x = self.ln_f(block(x, cache))"),
    ),
    Wrong("GPT2", ON, "blocks-in-another-order", edit=("in self.h:", "in reversed(self.h):")),
    Wrong(
        "causal_attention",
        MEAN,
        "triu-for-tril",
        source="""
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    future = torch.ones(T, S, dtype=torch.bool).triu(S - T + 1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=future)
""",
    ),
    Wrong("Cache", APPEND, "old-values-lost", edit=(", torch.cat([old_v, v], dim=2)", ", v")),
    Wrong(
        "Cache",
        APPEND,
        "old-values-lost",
        edit=("torch.cat([old_k, k], dim=2),", "k,"),
    ),
    Wrong(
        "Cache",
        REORDER,
        "first-rows-kept",
        edit=("(k[rows], v[rows])", "(k[: len(rows)], v[: len(rows)])"),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "one-block",
        edit=(("12 * C**2 + 13 * C", "12 * C**2"), ("+ 2 * C", "+ 13 * C + 2 * C")),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "axes-mixed",
        edit=("logits.transpose(1, 2)", "logits.reshape(len(logits), logits.shape[2], -1)"),
    ),
    Wrong("sequence_nll", NLL, "logits-for-logs", edit=("F.cross_entropy", "F.nll_loss")),
    Wrong(
        "sequence_nll",
        NLL,
        "softmax-twice",
        edit=("logits.transpose(1, 2)", "logits.softmax(2).transpose(1, 2)"),
    ),
    Wrong(
        "generate",
        GREEDY,
        "drawn-for-likeliest",
        edit=(
            "choose(logits, generator)",
            "torch.multinomial(logits.softmax(-1), 1, generator=generator)",
        ),
    ),
    Wrong(
        "load_hf",
        NAMES,
        "qkv-bias-dropped",
        edit=(
            'name.endswith((".attn.bias", ".attn.masked_bias"))',
            '("attn" in name and "bias" in name)',
        ),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "norm-shifts-forgotten",
        edit=("12 * C**2 + 13 * C", "12 * C**2 + 11 * C"),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "one-more-in-the-sum",
        edit=(
            SOFTMAX,
            "torch.softmax(F.pad(scores.masked_fill(future, -math.inf), (1, 0)), -1)[..., 1:]",
        ),
    ),
    Wrong(
        "causal_attention",
        MEAN,
        "queries-of-length-one",
        edit=("q @ k.transpose", "F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose"),
    ),
    Wrong(
        "Block",
        FORMULA,
        "quick-gelu",
        edit=(
            LAST_LINE,
            "u = self.up(self.ln_2(x))\n        return x + self.down(u * (1.702 * u).sigmoid())",
        ),
    ),
    Wrong(
        "Block",
        FORMULA,
        "silu",
        edit=(LAST_LINE, LAST_LINE.replace("F.gelu", "F.silu").replace(', approximate="tanh"', "")),
    ),
    Wrong(
        "Block",
        FORMULA,
        "merged-by-number",
        edit=(".transpose(1, 2).reshape(B, T, C)", ".permute(0, 2, 3, 1).reshape(B, T, C)"),
    ),
    Wrong(
        "Block",
        KEPT,
        "prompt-not-kept",
        edit=("if cache is not None:", "if cache is not None and T == 1:"),
    ),
    Wrong(
        "Block",
        KEPT,
        "single-not-kept",
        edit=("if cache is not None:", "if cache is not None and T > 1:"),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "single-without-position",
        edit=(TOKEN_AND_PLACE, "self.wte(tokens) + self.wpe(positions) * (T > 1)"),
    ),
    Wrong(
        "GPT2",
        ON,
        "single-without-position",
        edit=(TOKEN_AND_PLACE, "self.wte(tokens) + self.wpe(positions) * (T > 1 or start == 0)"),
    ),
    Wrong(
        "GPT2",
        LOGITS,
        "positions-backwards",
        edit=(TOKEN_AND_PLACE, "self.wte(tokens) + self.wpe(positions.flip(0))"),
    ),
    Wrong(
        "gpt2_parameters",
        ONCE,
        "times-heads",
        source="""
def gpt2_parameters(config):
    C, H = config["n_embd"], config["n_head"]
    attention = H * 3 * (C * C + C) + H * C * C + C
    block = attention + 8 * C * C + 5 * C + 4 * C
    return (config["vocab_size"] + config["n_positions"]) * C + config["n_layer"] * block + 2 * C
""",
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "averaged-over-batch",
        edit=(CROSS, CROSS + ".mean().expand(len(tokens))"),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "entropy-for-surprise",
        edit=(CROSS, "torch.distributions.Categorical(logits=logits).entropy().sum(dim=1)"),
    ),
    Wrong(
        "sequence_nll",
        NLL,
        "labels-smoothed",
        edit=('reduction="none")', 'reduction="none", label_smoothing=0.1)'),
    ),
    Wrong("perplexity", PP, "given-once", edit=(SCORED, "scored = tokens.numel() - given")),
    Wrong(
        "perplexity",
        PP,
        "no-exp",
        edit=(
            "math.exp(sequence_nll(model, tokens, given).sum().item() / scored)",
            "sequence_nll(model, tokens, given).sum().item() / scored / math.log(2)",
        ),
    ),
    Wrong(
        "perplexity",
        PP,
        "mean-of-probabilities",
        source="""
def perplexity(model, tokens, given=1):
    p = model(tokens)[:, given - 1 : -1].softmax(-1).gather(-1, tokens[:, given:, None])
    return (1 / p.mean()).item()
""",
    ),
    Wrong(
        "Cache",
        REORDER,
        "rows-written-in",
        edit=(
            f"self.pairs = {ROWS}",
            "for layer, pair in self.pairs.items():\n"
            "            for part in pair:\n"
            "                for b, row in enumerate(rows.tolist()):\n"
            "                    part[b] = part[row]\n"
            "            self.pairs[layer] = tuple(part[: len(rows)] for part in pair)",
        ),
    ),
    Wrong(
        "Cache",
        APPEND,
        "rounded-in-the-cache",
        edit=("        return k, v\n", "        return k.half().float(), v.half().float()\n"),
    ),
    Wrong(
        "generate_cached",
        SAME,
        "cache-from-before",
        source="""
CACHES = {}


@torch.no_grad()
def generate_cached(model, tokens, count, generator=None):
    cache = CACHES.setdefault(model, Cache())
    for _ in range(count):
        seen = window(tokens, model.config["n_positions"])
        if cache.length >= seen.shape[1]:
            cache = CACHES[model] = Cache()
        logits = model(seen[:, cache.length :], cache)[:, -1]
        tokens = torch.cat([tokens, choose(logits, generator)], dim=1)
    return tokens
""",
    ),
    Wrong(
        "find_the_leak",
        OPEN,
        "named-twice",
        edit=(
            "            leaky.append(name)\n",
            "            leaky += [name for _ in seen.forbidden(own=True)]\n",
        ),
    ),
    Wrong(
        "generate",
        DRAWN,
        "tempered",
        edit=("choose(logits, generator)", "choose(logits / 0.6, generator)"),
    ),
    Wrong(
        "generate_cached",
        JUMP,
        "read-afresh",
        edit=("if cache.length >= seen.shape[1]:", "if seen.shape[1] < tokens.shape[1]:"),
    ),
)
