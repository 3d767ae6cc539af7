"""Right answers to lesson 12, GPT-2, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "causal_attention",
        "torch's own, with a mask that is aligned at the end",
        source="""
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    allowed = torch.ones(T, S, dtype=torch.bool).tril(S - T)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
""",
    ),
    Right(
        "causal_attention",
        "einsum, positions compared, torch.where",
        source="""
def causal_attention(q, k, v):
    i = torch.arange(k.shape[-2] - q.shape[-2], k.shape[-2])
    j = torch.arange(k.shape[-2])
    s = torch.einsum("...id,...jd->...ij", q, k) * q.size(-1) ** -0.5
    s = torch.where(j[None] <= i[:, None], s, torch.tensor(float("-inf")))
    return torch.einsum("...ij,...je->...ie", F.softmax(s, -1), v)
""",
    ),
    Right(
        "causal_attention",
        "a loop over queries, each with the keys that it may see",
        source="""
def causal_attention(q, k, v):
    rows, behind = [], k.shape[-2] - q.shape[-2]
    for i in range(q.shape[-2]):
        seen = behind + i + 1
        score = (k[..., :seen, :] * q[..., i : i + 1, :]).sum(-1) / q.shape[-1] ** 0.5
        weight = (score - score.logsumexp(-1, keepdim=True)).exp()
        rows.append((weight[..., None] * v[..., :seen, :]).sum(-2))
    return torch.stack(rows, dim=-2)
""",
    ),
    Right(
        "causal_attention",
        "an additive mask of −inf, double precision inside",
        source="""
def causal_attention(q, k, v):
    mask = torch.full((q.shape[-2], k.shape[-2]), -math.inf, dtype=torch.float64)
    mask = torch.triu(mask, k.shape[-2] - q.shape[-2] + 1)
    scores = q.double() @ k.double().mT / math.sqrt(q.shape[-1]) + mask
    return (scores.softmax(-1) @ v.double()).to(v.dtype)
""",
    ),
    Right(
        "causal_attention",
        "the smallest number of the type in the place of −inf",
        edit=("-math.inf", "torch.finfo(scores.dtype).min"),
    ),
    Right(
        "causal_attention",
        "a softmax over everything, cut and normalized again, in double precision",
        source="""
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    w = (q.double() @ k.double().mT / math.sqrt(q.shape[-1])).softmax(-1)
    w = w.tril(S - T)
    return (w / w.sum(-1, keepdim=True) @ v.double()).to(v.dtype)
""",
    ),
    Right(
        "causal_attention",
        "a softmax over everything, zeros, and normalized again, in single precision",
        source="""
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    w = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
    w = w * torch.ones(T, S).tril(S - T)
    return w / w.sum(dim=-1, keepdim=True) @ v
""",
    ),
    Right(
        "causal_attention",
        "compiled by torch.jit.script",
        source="""
def look_back(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    T, S = q.size(-2), k.size(-2)
    future = torch.ones([T, S], dtype=torch.bool).triu(S - T + 1)
    scores = torch.matmul(q, k.transpose(-2, -1)) / q.size(-1) ** 0.5
    return torch.matmul(scores.masked_fill(future, float("-inf")).softmax(-1), v)

causal_attention = torch.jit.script(look_back)
""",
    ),
    Right(
        "causal_attention",
        "a callable object with its mask for the longest text",
        source="""
class LooksBack:
    def __init__(self, longest=64):
        self.past = torch.ones(longest, longest, dtype=torch.bool).tril()

    def __call__(self, q, k, v):
        T, S = q.shape[-2], k.shape[-2]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=self.past[S - T : S, :S])

causal_attention = LooksBack()
""",
    ),
    Right(
        "Block",
        "a stored mask, which no weight file knows, and a softmax that is cut",
        edit=(
            (
                "self.attend = causal_attention  # yours; an experiment will exchange it",
                'self.register_buffer("past", torch.ones(config["n_positions"], '
                'config["n_positions"]).tril())\n'
                "        self.attend = self.look_back\n\n"
                "    def look_back(self, q, k, v):\n"
                "        T, S = q.shape[-2], k.shape[-2]\n"
                "        w = (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1)\n"
                "        w = w * self.past[S - T : S, :S]\n"
                "        return w / w.sum(-1, keepdim=True) @ v",
            ),
        ),
    ),
    Right(
        "Block",
        "heads by chunks, one at a time where there is no cache",
        edit=(
            (
                """        q, k, v = (
            part(read).view(B, T, self.heads, -1).transpose(1, 2)  # (B, H, T, C / H)
            for part in (self.q, self.k, self.v)
        )
""",
                """        cut = lambda y: torch.stack(y.chunk(self.heads, dim=-1), dim=1)
        q, k, v = cut(self.q(read)), cut(self.k(read)), cut(self.v(read))
""",
            ),
            (
                "y = self.attend(q, k, v).transpose(1, 2).reshape(B, T, C)",
                "y = torch.cat(self.attend(q, k, v).unbind(1), dim=-1)",
            ),
        ),
    ),
    Right(
        "Block",
        "permute and flatten, GELU by its formula",
        edit=(
            (".transpose(1, 2).reshape(B, T, C)", ".permute(0, 2, 1, 3).flatten(2)"),
            (
                'return x + self.down(F.gelu(self.up(self.ln_2(x)), approximate="tanh"))',
                "a = self.up(self.ln_2(x))\n"
                "        b = (2 / math.pi) ** 0.5 * (a + 0.044715 * a**3)\n"
                "        return x + self.down(0.5 * a * (1 + torch.tanh(b)))",
            ),
        ),
    ),
    Right(
        "GPT2",
        "F.linear for the head, rows of the table for positions",
        edit=(
            ("self.wpe(positions)", "self.wpe.weight[start : start + T]"),
            (
                "return self.ln_f(x) @ self.wte.weight.T",
                "return F.linear(self.ln_f(x), self.wte.weight)",
            ),
        ),
    ),
    Right(
        "GPT2",
        "places that are registered as a buffer at the first call",
        edit=(
            "positions = torch.arange(start, start + T, device=tokens.device)",
            'if not hasattr(self, "places"):\n'
            '            self.register_buffer("places", torch.arange(self.config["n_positions"]))\n'
            "        positions = self.places[start : start + T]",
        ),
    ),
    Right(
        "GPT2",
        "einsum for the head",
        edit=(
            "return self.ln_f(x) @ self.wte.weight.T",
            'return torch.einsum("btc,vc->btv", self.ln_f(x), self.wte.weight)',
        ),
    ),
    Right(
        "gpt2_parameters",
        "part by part",
        source="""
def gpt2_parameters(config):
    V, n, C = config["vocab_size"], config["n_positions"], config["n_embd"]
    linear = lambda a, b: a * b + b
    norm = 2 * C
    block = 4 * linear(C, C) + linear(C, 4 * C) + linear(4 * C, C) + 2 * norm
    return V * C + n * C + sum(block for _ in range(config["n_layer"])) + norm
""",
    ),
    Right(
        "load_hf",
        "by patterns, the other way round: from our names to theirs",
        source="""
def load_hf(state_dict):
    hub = {name.removeprefix("transformer."): value for name, value in state_dict.items()}
    ours = {name: hub[name] for name in ("wte.weight", "wpe.weight", "ln_f.weight", "ln_f.bias")}
    layer = 0
    while f"h.{layer}.ln_1.weight" in hub:
        at = f"h.{layer}."
        for kind in ("weight", "bias"):
            for norm in ("ln_1.", "ln_2."):
                ours[at + norm + kind] = hub[at + norm + kind]
            for theirs, mine in RENAMED.items():
                value = hub[f"{at}{theirs}.{kind}"]
                ours[f"{at}{mine}.{kind}"] = value.t().contiguous() if value.ndim == 2 else value
            three = hub[f"{at}attn.c_attn.{kind}"]
            size = three.shape[-1] // 3
            for i, letter in enumerate("qkv"):
                part = three[..., i * size : (i + 1) * size]
                ours[f"{at}{letter}.{kind}"] = part.T if part.ndim == 2 else part
        layer += 1
    return ours
""",
    ),
    Right(
        "load_hf",
        "masks told by their shape",
        edit=(
            'if name.endswith((".attn.bias", ".attn.masked_bias")) or name == "lm_head.weight":',
            'if value.ndim == 4 or value.ndim == 0 or name.startswith("lm_head"):',
        ),
    ),
    Right(
        "sequence_nll",
        "log_softmax and gather",
        source="""
def sequence_nll(model, tokens, given=1):
    log_p = F.log_softmax(model(tokens).double(), dim=-1)
    log_p = log_p[:, :-1].gather(-1, tokens[:, 1:, None]).squeeze(-1)
    return -log_p[:, given - 1 :].sum(-1)
""",
    ),
    Right(
        "sequence_nll",
        "row by row, token by token, logsumexp",
        source="""
def sequence_nll(model, tokens, given=1):
    answers = []
    for row in tokens:
        logits, total = model(row[None, :-1])[0], 0.0
        for t in range(given, len(row)):
            total = total + logits[t - 1].logsumexp(0) - logits[t - 1, row[t]]
        answers.append(total)
    return torch.stack(answers)
""",
    ),
    Right(
        "perplexity",
        "a tensor, the mean first",
        source="""
def perplexity(model, tokens, given=1):
    return (sequence_nll(model, tokens, given) / (tokens.shape[1] - given)).mean().exp()
""",
    ),
    Right(
        "perplexity",
        "2 to the bits",
        source="""
def perplexity(model, tokens, given=1):
    bits = sequence_nll(model, tokens, given).double().sum() / math.log(2)
    return float(2 ** (bits / tokens[:, given:].numel()))
""",
    ),
    Right(
        "generate",
        "a tensor that is made first and filled",
        source="""
@torch.no_grad()
def generate(model, tokens, count, generator=None):
    T = tokens.shape[1]
    text = torch.cat([tokens, tokens.new_zeros(len(tokens), count)], dim=1)
    for t in range(T, T + count):
        logits = model(window(text[:, :t], model.config["n_positions"]))
        text[:, t] = choose(logits[:, -1], generator)[:, 0]
    return text
""",
    ),
    Right(
        "generate",
        "draws by the Gumbel trick",
        source="""
@torch.no_grad()
def generate(model, tokens, count, generator=None):
    for _ in range(count):
        logits = model(window(tokens, model.config["n_positions"]))[:, -1].double()
        if generator is not None:
            u = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
            logits = logits - torch.log(-torch.log(u))
        tokens = torch.cat([tokens, logits.argmax(-1)[:, None]], dim=-1)
    return tokens
""",
    ),
    Right(
        "Cache",
        "index_select, and a list of two",
        edit=(
            (
                "k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], dim=2)",
                "k, v = (torch.cat(pair, dim=-2) for pair in ((old_k, k), (old_v, v)))",
            ),
            (
                "self.pairs = {layer: (k[rows], v[rows]) for layer, (k, v) in self.pairs.items()}",
                "for layer, pair in self.pairs.items():\n"
                "            self.pairs[layer] = tuple(p.index_select(0, rows) for p in pair)",
            ),
        ),
    ),
    Right(
        "Cache",
        "room that is made ahead, in steps of 16",
        source="""
class Cache:
    def __init__(self):
        self.room, self.used, self.pairs = {}, {}, {}

    @property
    def length(self):
        return self.used.get(0, 0)

    def append(self, layer, k, v):
        n, T = self.used.get(layer, 0), k.shape[2]
        room = self.room.get(layer)
        if room is None or n + T > room[0].shape[2]:
            size = 16 * math.ceil((n + T) / 16)
            new = [k.new_zeros(*k.shape[:2], size, k.shape[3]) for _ in range(2)]
            if room is not None:
                for to, old in zip(new, room):
                    to[:, :, :n] = old[:, :, :n]
            room = new
        room[0][:, :, n : n + T], room[1][:, :, n : n + T] = k, v
        self.room[layer], self.used[layer] = room, n + T
        return room[0][:, :, : n + T], room[1][:, :, : n + T]

    def reorder(self, rows):
        self.room = {layer: [r[rows] for r in room] for layer, room in self.room.items()}
""",
    ),
    Right(
        "generate_cached",
        "the prompt is read token by token",
        source="""
@torch.no_grad()
def generate_cached(model, tokens, count, generator=None):
    cache = Cache()
    for _ in range(count):
        seen = window(tokens, model.config["n_positions"])
        if cache.length >= seen.shape[1]:
            cache = Cache()
        while cache.length < seen.shape[1]:
            logits = model(seen[:, cache.length : cache.length + 1], cache)
        tokens = torch.cat([tokens, choose(logits[:, -1], generator)], dim=1)
    return tokens
""",
    ),
    Right(
        "generate_cached",
        "the newest token is kept by itself",
        source="""
@torch.no_grad()
def generate_cached(model, tokens, count, generator=None):
    limit = model.config["n_positions"]
    cache, new, held = Cache(), window(tokens, limit), 0
    for _ in range(count):
        seen = window(tokens, limit)
        if held and seen.shape[1] != held + 1:
            cache, new = Cache(), seen
        held = seen.shape[1]
        new = choose(model(new, cache)[:, -1], generator)
        tokens = torch.cat([tokens, new], dim=1)
    return tokens
""",
    ),
    Right(
        "find_the_leak",
        "the edges themselves, over several texts, as a set",
        source="""
def find_the_leak(models):
    found = set()
    for name, model in models.items():
        n, V = model.config["n_positions"], model.config["vocab_size"]
        seen = dependency_map(
            model, torch.randint(0, V, (4, n)), "token", outputs=-1, vocabulary=V, draws=6
        )
        if len(seen.forbidden(own=True)) > 0:
            found.add(name)
    return found
""",
    ),
    Right(
        "find_the_leak",
        "by hand: fresh weights, and every token exchanged",
        source="""
def find_the_leak(models):
    import copy

    leaky = []
    for name, model in models.items():
        n, V = model.config["n_positions"], model.config["vocab_size"]
        model = copy.deepcopy(model).double()
        peeks = False
        for _ in range(8):
            with torch.no_grad():
                for p in model.parameters():
                    p.normal_()
                x = torch.randint(0, V, (n, n))[:1].repeat(n, 1)
                base = model(x)
                y = x.clone()
                y[torch.arange(n), torch.arange(n)] = (x[0] + torch.randint(1, V, (n,))) % V
                moved = (model(y) != base).any(-1)  # row j: which positions change with token j
            peeks = peeks or bool(moved.tril(-1).any())
        if peeks:
            leaky.append(name)
    return leaky
""",
    ),
    Right(
        "causal_attention",
        "sdpa with a mask",
        source="""
def causal_attention(q, k, v):
    T, S = q.shape[-2], k.shape[-2]
    seen = torch.arange(S)[None, :] <= torch.arange(S - T, S)[:, None]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
""",
    ),
    Right(
        "GPT2",
        "einsum head",
        edit=(
            ("return self.ln_f(x) @ self.wte.weight.T"),
            ("return torch.einsum('btc,vc->btv', self.ln_f(x), self.wte.weight)"),
        ),
    ),
    Right(
        "GPT2",
        "tied lm_head",
        edit=(
            (
                ('        self.ln_f = nn.LayerNorm(config["n_embd"])\n'),
                (
                    '        self.ln_f = nn.LayerNorm(config["n_embd"])\n'
                    "        self.lm_head = nn.Linear(*self.wte.weight.T.shape, bias=False)\n"
                    "        self.lm_head.weight = self.wte.weight\n"
                ),
            ),
            (("return self.ln_f(x) @ self.wte.weight.T"), ("return self.lm_head(self.ln_f(x))")),
            (("model.load_state_dict(load_hf("), ("hub = load_hf(")),
            (
                ("pretrained.state_dict(name)))"),
                ("pretrained.state_dict(name))\n        model.load_state_dict(hub, strict=False)"),
            ),
        ),
    ),
    Right(
        "GPT2",
        "positions buffer at the first call",
        edit=(
            ("positions = torch.arange(start, start + T, device=tokens.device)"),
            (
                "if not hasattr(self, 'seats'):\n"
                "            seats = torch.arange(self.config['n_positions'])\n"
                "            self.register_buffer('seats', seats)\n"
                "        positions = self.seats[start : start + T]"
            ),
        ),
    ),
    Right(
        "GPT2",
        "blocks by recursion",
        edit=(
            (
                "        for block in self.h:\n"
                "            x = block(x, cache)\n"
                "        return self.ln_f(x) @ self.wte.weight.T"
            ),
            (
                "        def run(x, blocks):\n"
                "            return run(blocks[0](x, cache), blocks[1:]) if blocks else x\n"
                "        return F.linear(self.ln_f(run(x, list(self.h))), self.wte.weight)"
            ),
        ),
    ),
    Right(
        "generate",
        "preallocated",
        source="""
@torch.inference_mode()
def generate(model, tokens, count, generator=None):
    B, T = tokens.shape
    text = torch.zeros(B, T + count, dtype=tokens.dtype)
    text[:, :T] = tokens
    for t in range(T, T + count):
        logits = model(window(text[:, :t], model.config["n_positions"]))
        text[:, t : t + 1] = choose(logits[:, -1], generator)
    return text
""",
    ),
)
