"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "13_temperature"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "beam_search",
        "tokens, scores = torch.zeros(1, 0, dtype=torch.long), torch.zeros(1)",
        "torch.zeros",
        "torch.ones",
    ): ("A tensor of no entries is the same, whatever it is filled with."),
    (
        "beam_search",
        "scores, place = total.flatten().topk(min(width, total.numel()))",
        "min(width, total.numel())",
        "min(total.numel(), width)",
    ): ("The minimum of two numbers does not depend on their order."),
    ("beam_search", "parent, token = place // total.shape[1], place % total.shape[1]", "1", "-1"): (
        "Of a tensor with two axes the axis 1 is the last one."
    ),
    (
        "beam_search",
        "tokens = torch.cat([tokens[parent], token[:, None]], dim=1)",
        "torch.cat([tokens[parent], token[:, None]], dim=1)",
        "torch.cat([tokens[parent], token[:, None]], dim=-1)",
    ): ("Of a tensor with two axes the axis 1 is the last one."),
    (
        "drift",
        "tokens, surprises = torch.zeros(count, 0, dtype=torch.long), []",
        "torch.zeros(count, 0, dtype=torch.long)",
        "torch.zeros(count, 0)",
    ): ("Tokens become whole numbers in a float tensor, which the step functions take as well."),
    (
        "drift",
        "tokens, surprises = torch.zeros(count, 0, dtype=torch.long), []",
        "torch.zeros",
        "torch.ones",
    ): ("A tensor of no entries is the same, whatever it is filled with."),
    ("drift", "surprises.append(-source(tokens).gather(1, drawn))", "1", "-1"): (
        "Of a tensor with two axes the axis 1 is the last one."
    ),
    (
        "drift",
        "tokens = torch.cat([tokens, drawn], dim=1)",
        "torch.cat([tokens, drawn], dim=1)",
        "torch.cat([tokens, drawn], dim=-1)",
    ): ("Of a tensor with two axes the axis 1 is the last one."),
    (
        "drift",
        "surprise = torch.cat(surprises, dim=1)",
        "torch.cat(surprises, dim=1)",
        "torch.cat(surprises, dim=-1)",
    ): ("Of a tensor with two axes the axis 1 is the last one."),
    (
        "greedy",
        "tokens, total = torch.zeros(1, 0, dtype=torch.long), 0.0",
        "torch.zeros",
        "torch.ones",
    ): ("A tensor of no entries is the same, whatever it is filled with."),
    (
        "greedy",
        "best = step(tokens)[0].max(dim=0)",
        "step(tokens)[0].max(dim=0)",
        "step(tokens)[0].max(dim=-1)",
    ): ("Of a tensor with one axis the axis 0 is the last one."),
    ("greedy", "return tokens[0], total", "0", "-1"): (
        "One row is the first and the last, and so is the one axis of a row."
    ),
    ("greedy", "best = step(tokens)[0].max(dim=0)", "0", "-1"): (
        "One row is the first and the last, and so is the one axis of a row."
    ),
    (
        "greedy",
        "tokens = torch.cat([tokens, best.indices.view(1, 1)], dim=1)",
        "torch.cat([tokens, best.indices.view(1, 1)], dim=1)",
        "torch.cat([tokens, best.indices.view(1, 1)], dim=-1)",
    ): ("Of a tensor with two axes the axis 1 is the last one."),
    ("greedy", "tokens = torch.cat([tokens, best.indices.view(1, 1)], dim=1)", "1", "-1"): (
        "Of two axes the axis 1 is the last, and a view of one entry finds a size of 1 by itself."
    ),
    ("greedy", "total += float(best.values)", "float(best.values)", "best.values"): (
        "A tensor of one number is a number, too."
    ),
    (
        "joint_temperature",
        "return torch.softmax(p.log().flatten() / T, dim=0).view(p.shape)",
        "torch.softmax(p.log().flatten() / T, dim=0)",
        "torch.softmax(p.log().flatten() / T, dim=-1)",
    ): ("Of a tensor with one axis the axis 0 is the last one."),
    (
        "score",
        "nats = -logits.log_softmax(dim=-1).gather(1, tokens[:, None]).mean().item()",
        "1",
        "-1",
    ): ("Of a tensor with two axes the axis 1 is the last one."),
    ("tokenwise_temperature", "for t in range(1, p.dim() + 1):", "1", "0"): (
        "The softmax of the one number that is the sum of all is 1."
    ),
    (
        "tokenwise_temperature",
        "marginal = p.flatten(t).sum(dim=-1) if t < p.dim() else p",
        "p.flatten(t).sum",
        "p.flatten(t).mean",
    ): ("A softmax does not mind a constant in each row, and a mean is a sum divided by one."),
    (
        "top_k",
        "order = probs.argsort(dim=-1, descending=True, stable=True)",
        "probs.argsort(dim=-1, descending=True, stable=True)",
        "probs.argsort(descending=True, stable=True)",
    ): ("torch sorts along the last axis unless told otherwise."),
    (
        "top_k",
        "kept = probs * torch.zeros_like(probs).scatter(-1, order[..., :k], 1.0)",
        "1.0",
        "2.0",
    ): ("A factor that every kept token has cancels when the sum divides it."),
    (
        "top_k",
        "kept = probs * torch.zeros_like(probs).scatter(-1, order[..., :k], 1.0)",
        "1.0",
        "0.5",
    ): ("A factor that every kept token has cancels when the sum divides it."),
    (
        "top_k",
        "kept = probs * torch.zeros_like(probs).scatter(-1, order[..., :k], 1.0)",
        "1.0",
        "-1.0",
    ): ("A factor that every kept token has cancels when the sum divides it."),
    (
        "top_p",
        "return probs / probs.sum(dim=-1, keepdim=True)",
        "probs / probs.sum(dim=-1, keepdim=True)",
        "probs * probs.sum(dim=-1, keepdim=True)",
    ): ("What is given are probabilities, whose sum is 1 already."),
    (
        "top_p",
        "return probs / probs.sum(dim=-1, keepdim=True)",
        "probs / probs.sum(dim=-1, keepdim=True)",
        "probs",
    ): ("What is given are probabilities, whose sum is 1 already."),
    (
        "top_p",
        "ranked, order = probs.sort(dim=-1, descending=True, stable=True)",
        "probs.sort(dim=-1, descending=True, stable=True)",
        "probs.sort(descending=True, stable=True)",
    ): ("On the CPU torch sorts stably whether it is asked to or not, and along the last axis."),
    (
        "top_p",
        "ranked, order = probs.sort(dim=-1, descending=True, stable=True)",
        "probs.sort(dim=-1, descending=True, stable=True)",
        "probs.sort(dim=-1, descending=True)",
    ): ("On the CPU torch sorts stably whether it is asked to or not, and along the last axis."),
    (
        "top_p",
        "ranked, order = probs.sort(dim=-1, descending=True, stable=True)",
        "True",
        "False",
    ): ("On the CPU torch sorts stably whether it is asked to or not, and along the last axis."),
    (
        "top_p",
        "kept = torch.zeros_like(probs).scatter(-1, order, ranked * (before < p))",
        "torch.zeros_like(probs)",
        "probs",
    ): ("The scatter writes every entry of a row, so that nothing of what it starts from is left."),
    (
        "top_p",
        "kept = torch.zeros_like(probs).scatter(-1, order, ranked * (before < p))",
        "torch.zeros_like",
        "torch.ones_like",
    ): ("The scatter writes every entry of a row, so that nothing of what it starts from is left."),
}
