"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "12_gpt2"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    ("Block", "part(read).view(B, T, self.heads, -1).transpose(1, 2)", "2", "-2"): (
        "Of four axes the axis 2 is the last but one."
    ),
    (
        "Block",
        "part(read).view(B, T, self.heads, -1).transpose(1, 2)",
        "part(read).view(B, T, self.heads, -1).transpose(1, 2)",
        "part(read).view(B, T, self.heads, -1).transpose(2, 1)",
    ): ("A transpose of two axes does not depend on their order."),
    ("Block", "y = self.attend(q, k, v).transpose(1, 2).reshape(B, T, C)", "2", "-2"): (
        "Of four axes the axis 2 is the last but one."
    ),
    (
        "Block",
        "y = self.attend(q, k, v).transpose(1, 2).reshape(B, T, C)",
        "self.attend(q, k, v).transpose(1, 2)",
        "self.attend(q, k, v).transpose(2, 1)",
    ): ("A transpose of two axes does not depend on their order."),
    ("Cache", "k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], dim=2)", "2", "-2"): (
        "Of four axes the axis 2 is the last but one."
    ),
    ("Cache", "return self.pairs[0][0].shape[2] if self.pairs else 0", "0", "-1"): (
        "Keys and values are equally long, so either tells how many tokens were read."
    ),
    ("Cache", "return self.pairs[0][0].shape[2] if self.pairs else 0", "0", "1"): (
        "Keys and values are equally long, so either tells how many tokens were read."
    ),
    ("Cache", "return self.pairs[0][0].shape[2] if self.pairs else 0", "2", "-2"): (
        "Of four axes the axis 2 is the last but one."
    ),
    (
        "GPT2",
        'if start + T > self.config["n_positions"]:',
        "if start + T > self.config['n_positions']:\n    limit = self.config['n_positions'",
        "if False:\n    limit = self.config['n_positions']\n    raise ValueError(f'the mode",
    ): ("A longer text is refused by wpe all the same."),
    ("GPT2", 'if start + T > self.config["n_positions"]:', "start + T", "T"): (
        "A longer text is refused by wpe all the same."
    ),
    ("GPT2", 'if start + T > self.config["n_positions"]:', "start + T", "start"): (
        "A longer text is refused by wpe all the same."
    ),
    ("GPT2", 'if start + T > self.config["n_positions"]:', "start + T", "start - T"): (
        "A longer text is refused by wpe all the same."
    ),
    (
        "GPT2",
        "model = cls(pretrained.config(name))",
        "cls(pretrained.config(name))",
        "pretrained.config(name)",
    ): ("from_pretrained is given, and needs a file of weights: no check loads one."),
    ("GPT2", "model = cls(pretrained.config(name))", "pretrained.config(name)", "name"): (
        "from_pretrained is given, and needs a file of weights: no check loads one."
    ),
    (
        "GPT2",
        "model.load_state_dict(load_hf(pretrained.state_dict(name)))",
        "load_hf(pretrained.state_dict(name))",
        "pretrained.state_dict(name)",
    ): ("from_pretrained is given, and needs a file of weights: no check loads one."),
    (
        "GPT2",
        "model.load_state_dict(load_hf(pretrained.state_dict(name)))",
        "model.load_state_dict(load_hf(pretrained.state_dict(name)))",
        "",
    ): ("from_pretrained is given, and needs a file of weights: no check loads one."),
    (
        "GPT2",
        "model.load_state_dict(load_hf(pretrained.state_dict(name)))",
        "model.load_state_dict(load_hf(pretrained.state_dict(name)))",
        "load_hf(pretrained.state_dict(name))",
    ): ("from_pretrained is given, and needs a file of weights: no check loads one."),
    (
        "GPT2",
        "model.load_state_dict(load_hf(pretrained.state_dict(name)))",
        "pretrained.state_dict(name)",
        "name",
    ): ("from_pretrained is given, and needs a file of weights: no check loads one."),
    ("GPT2", "nn.init.normal_(p, std=0.02) if p.ndim > 1 else nn.init.zeros_(p)", "0.02", "0.01"): (
        "Other small weights: all tokens start out likely, which is what is asked."
    ),
    ("GPT2", "nn.init.normal_(p, std=0.02) if p.ndim > 1 else nn.init.zeros_(p)", "0.02", "0.04"): (
        "Other small weights: all tokens start out likely, which is what is asked."
    ),
    (
        "GPT2",
        "positions = torch.arange(start, start + T, device=tokens.device)",
        "torch.arange(start, start + T, device=tokens.device)",
        "torch.arange(start, start + T)",
    ): ("On one device the default device is that of the tokens."),
    (
        "GPT2",
        'raise ValueError(f"the model has {limit} positions: got {start} + {T} tokens")',
        "ValueError(f'the model has {limit} positions: got {start} + {T} tokens')",
        "f'the model has {limit} positions: got {start} + {T} tokens'",
    ): ("A longer text is refused by wpe all the same."),
    ("GPT2", "return matvec.spread(model.eval())", "matvec.spread(model.eval())", "model.eval()"): (
        "from_pretrained is given, and needs a file of weights: no check loads one."
    ),
    ("GPT2", "start, T = 0 if cache is None else cache.length, tokens.shape[1]", "1", "-1"): (
        "Of a tensor with two axes the axis 1 is the last one."
    ),
    (
        "causal_attention",
        "future = torch.ones(T, S, dtype=torch.bool, device=q.device).triu(S - T + 1)",
        "torch.ones(T, S, dtype=torch.bool, device=q.device)",
        "torch.ones(T, S, dtype=torch.bool)",
    ): ("On one device the default device is that of q."),
    (
        "causal_attention",
        "scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])",
        "k.transpose(-2, -1)",
        "k.transpose(-1, -2)",
    ): ("A transpose of two axes does not depend on their order."),
    (
        "find_the_leak",
        'seen = dependency_map(model, tokens, "token", outputs=-1, vocabulary=V)',
        "dependency_map(model, tokens, 'token', outputs=-1, vocabulary=V)",
        "dependency_map(model, tokens, 'token', outputs=-1)",
    ): ("The largest id among the drawn tokens tells nearly the same vocabulary."),
    (
        "find_the_leak",
        "tokens = torch.randint(V, (2, length), generator=torch.Generator().manual_seed(0))",
        "0",
        "-1",
    ): ("Another random text shows the same leaks."),
    (
        "find_the_leak",
        "tokens = torch.randint(V, (2, length), generator=torch.Generator().manual_seed(0))",
        "0",
        "1",
    ): ("Another random text shows the same leaks."),
    (
        "find_the_leak",
        "tokens = torch.randint(V, (2, length), generator=torch.Generator().manual_seed(0))",
        "2",
        "1",
    ): ("More texts or fewer to begin with: the map draws others itself."),
    (
        "find_the_leak",
        "tokens = torch.randint(V, (2, length), generator=torch.Generator().manual_seed(0))",
        "2",
        "3",
    ): ("More texts or fewer to begin with: the map draws others itself."),
    (
        "find_the_leak",
        "tokens = torch.randint(V, (2, length), generator=torch.Generator().manual_seed(0))",
        "torch.randint(V, (2, length), generator=torch.Generator().manual_seed(0))",
        "torch.randint(V, (2, length))",
    ): ("Another random text shows the same leaks."),
    (
        "generate",
        "tokens = torch.cat([tokens, choose(logits, generator)], dim=1)",
        "torch.cat([tokens, choose(logits, generator)], dim=1)",
        "torch.cat([tokens, choose(logits, generator)], dim=-1)",
    ): ("Of a tensor with two axes the axis 1 is the last one."),
    ("generate_cached", "if cache.length >= seen.shape[1]:", "1", "-1"): (
        "Of a tensor with two axes the axis 1 is the last one."
    ),
    (
        "generate_cached",
        "tokens = torch.cat([tokens, choose(logits, generator)], dim=1)",
        "torch.cat([tokens, choose(logits, generator)], dim=1)",
        "torch.cat([tokens, choose(logits, generator)], dim=-1)",
    ): ("Of a tensor with two axes the axis 1 is the last one."),
    ("load_hf", 'for letter, part in zip("qkv", value.chunk(3), strict=True):', "True", "False"): (
        "Three letters and three thirds are as many."
    ),
    (
        "load_hf",
        'for letter, part in zip("qkv", value.chunk(3), strict=True):',
        "zip('qkv', value.chunk(3), strict=True)",
        "zip('qkv', value.chunk(3))",
    ): ("Three letters and three thirds are as many."),
    (
        "load_hf",
        'if ".c_" in name and name.endswith(".weight"):',
        "name.endswith('.weight')",
        "'.weight'",
    ): ("The transpose of a vector is the vector."),
    ("perplexity", "scored = tokens.shape[0] * (tokens.shape[1] - given)", "1", "-1"): (
        "Ids have two axes: the axis 1 is the last one."
    ),
    (
        "sequence_nll",
        'return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none").sum(dim=1)',
        "F.cross_entropy(logits.transpose(1, 2), targets, reduction='none').sum(dim=1)",
        "F.cross_entropy(logits.transpose(1, 2), targets, reduction='none').sum(dim=-1)",
    ): ("Of a tensor with two axes the axis 1 is the last one."),
    (
        "sequence_nll",
        'return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none").sum(dim=1)',
        "logits.transpose(1, 2)",
        "logits.transpose(2, 1)",
    ): ("A transpose of two axes does not depend on their order."),
}
