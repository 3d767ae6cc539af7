"""Wrong answers to lesson 03, FVSBN."""

from tests.banks.bank import Wrong, written

VOTES = "logit i is bias_i + Σ_{j<i} weight_ij x_j"
SEES = "no logit sees its own bit or a later one, and each sees all bits before it"
TRAINS = "training reaches the weights below the diagonal and the bias, and nothing is overwritten"
NLL = "nll is the sum of −log p(x_i | x_<i) over the n bits, one number for each example"
LARGE = "large logits cost what they cost: finite, and exact"
ONE = "the probabilities of all 256 vectors of 8 bits sum to 1"
GRADIENT = "the gradient of nll trains all weights below the diagonal, and no other"
FOR_ITSELF = "each example is drawn for itself"
OFTEN = "samples come as often as the model says"
COPIES = "where bits copy earlier ones, so do the samples, whatever the first bit is"
FORM = "the answer holds bits as floats, (count, n), for any count and n"
SEED = "all randomness comes from the given generator"
KEPT = "the given bits stay as they are"
REST = "the rest is drawn from p(rest | prefix)"
OWN = "every example goes on from its own beginning, of any length from 0 to n"
ALONE = "randomness comes from the given generator, and the caller's prefix is left alone"

MASKED = "x @ torch.tril(weight, -1).T + bias"
LOSS = 'return F.binary_cross_entropy_with_logits(score, x, reduction="none").sum(dim=1)'
PROBABILITY = "p = torch.sigmoid(logits(x, weight, bias)[:, i])"
DRAWN = "torch.bernoulli(p, generator=generator)"

ANSWERS = (
    # logits
    Wrong("logits", VOTES, "includes-diagonal", edit=("(weight, -1)", "(weight)")),
    Wrong("logits", SEES, "not-masked", edit=("torch.tril(weight, -1)", "weight")),
    Wrong("logits", VOTES, "upper-triangle", edit=("tril(weight, -1)", "triu(weight, 1)")),
    Wrong("logits", VOTES, "upper-triangle", edit=("tril(weight, -1).T", "triu(weight, 1)")),
    Wrong(
        "logits",
        VOTES,
        "diagonal-only-cut",
        edit=("torch.tril(weight, -1)", "(weight - torch.diag(weight.diag()))"),
    ),
    Wrong("logits", VOTES, "transposed", edit=("(weight, -1).T", "(weight, -1)")),
    Wrong("logits", SEES, "not-masked", edit=("torch.tril(weight, -1).T", "weight")),
    Wrong("logits", VOTES, "one-off-too-many", edit=("(weight, -1)", "(weight, -2)")),
    Wrong("logits", VOTES, "bias-forgotten", edit=(" + bias", "")),
    Wrong("logits", VOTES, "sigmoid-applied", edit=(MASKED, f"torch.sigmoid({MASKED})")),
    Wrong("logits", VOTES, "sign", edit=(MASKED, f"-({MASKED})")),
    Wrong("logits", VOTES, "bias-subtracted", edit=("+ bias", "- bias")),
    Wrong("logits", VOTES, "votes-forgotten", edit=(MASKED, "0 * x + bias")),
    Wrong("logits", SEES, "one-off-too-few", edit=("(weight, -1)", "(weight, 1)")),
    Wrong(
        "logits",
        SEES,
        "bias-times-bit",
        edit=(MASKED, "x @ (torch.tril(weight, -1) + torch.diag(bias)).T"),
    ),
    Wrong("logits", VOTES, "bits-as-signs", edit=("x @", "(x - (x == 0).float()) @")),
    Wrong(
        "logits",
        VOTES,
        "first-left-out",
        source="""
def logits(x, weight, bias):
    found = [0 * x[:, 0]]
    for i in range(1, len(bias)):
        found.append(x[:, :i] @ weight[i, :i] + bias[i])
    return torch.stack(found, dim=1)
""",
    ),
    Wrong("logits", VOTES, "transposed", edit=(MASKED, "x @ torch.tril(weight, -1) - bias")),
    Wrong(
        "logits",
        TRAINS,
        "masked-in-place",
        edit=(f"return {MASKED}", f"weight.data.tril_(-1)\n    return {MASKED}"),
    ),
    Wrong(
        "logits",
        TRAINS,
        "gradient-unmasked",
        source="""
def logits(x, weight, bias):
    masked = weight - torch.triu(weight).detach()  # zero in value
    return x @ masked.T + bias
""",
    ),
    Wrong("logits", TRAINS, "gradient-cut", edit=("tril(weight, -1)", "tril(weight.data, -1)")),
    Wrong("logits", stops="should have shape", edit=(MASKED, f"({MASKED}).sum(1)")),
    *(
        Wrong("logits", VOTES, "other-thing-masked", edit=(MASKED, masked))
        for masked in (
            "torch.tril(x @ weight.T, -1) + bias",
            "torch.tril(x @ weight.T + bias, -1)",
            "torch.tril(x, -1) @ weight.T + bias",
        )
    ),
    Wrong(
        "logits",
        SEES,
        "minus-infinity-for-zero",
        edit=(MASKED, "x @ weight.masked_fill(torch.ones_like(weight).triu() > 0, -1e9).T + bias"),
    ),
    Wrong("logits", VOTES, "first-example-for-all", edit=("x @", "x[:1].expand_as(x) @")),
    # nll
    Wrong("nll", NLL, "summed-over-batch", edit=(".sum(dim=1)", ".sum()")),
    Wrong("nll", NLL, "summed-over-batch", edit=(".sum(dim=1)", ".sum(dim=0)")),
    Wrong("nll", NLL, "averaged-over-batch", edit=(".sum(dim=1)", ".sum(dim=1).mean()")),
    Wrong("nll", NLL, "averaged-over-batch", edit=(".sum(dim=1)", ".mean()")),
    Wrong("nll", NLL, "averaged-over-bits", edit=(".sum(dim=1)", ".mean(dim=1)")),
    Wrong("nll", NLL, "not-summed", edit=(".sum(dim=1)", "")),
    Wrong("nll", NLL, "axis-kept", edit=(".sum(dim=1)", ".sum(dim=1, keepdim=True)")),
    Wrong("nll", NLL, "axis-squeezed", edit=(".sum(dim=1)", ".sum(dim=1).squeeze()")),
    Wrong("nll", ONE, "factor-forgotten", edit=(".sum(dim=1)", "[:, :-1].sum(dim=1)")),
    Wrong("nll", NLL, "factor-forgotten", edit=(".sum(dim=1)", "[:, 1:].sum(dim=1)")),
    Wrong("nll", NLL, "bits-shifted", edit=("(score, x,", "(score[:, :-1], x[:, 1:],")),
    Wrong("nll", NLL, "sign", edit=("return F", "return -F")),
    Wrong("nll", NLL, "bits-for-nats", edit=(".sum(dim=1)", ".sum(dim=1) / math.log(2)")),
    Wrong(
        "nll", NLL, "log-forgotten", edit=(LOSS, LOSS.replace("return ", "return (-") + ").exp()")
    ),
    Wrong(
        "nll",
        NLL,
        "bits-inverted",
        edit=(LOSS, "return -torch.log((x - torch.sigmoid(score)).abs()).sum(dim=1)"),
    ),
    Wrong("nll", NLL, "zeros-forgotten", edit=(LOSS, "return (x * F.softplus(-score)).sum(1)")),
    Wrong(
        "nll",
        ONE,
        "sees-itself",
        edit=("score = logits(x, weight, bias)", "score = F.linear(x, weight, bias)"),
    ),
    Wrong(
        "nll",
        NLL,
        "votes-forgotten",
        edit=("score = logits(x, weight, bias)", "score = bias.expand(x.shape)"),
    ),
    Wrong(
        "nll",
        LARGE,
        "sigmoid-then-log",
        edit=(
            LOSS,
            "p = torch.sigmoid(score)\n"
            "    return -(x * torch.log(p) + (1 - x) * torch.log(1 - p)).sum(1)",
        ),
    ),
    Wrong(
        "nll",
        LARGE,
        "sigmoid-then-log",
        edit=(
            LOSS,
            "return -torch.log(torch.where(x > 0, score.sigmoid(), 1 - score.sigmoid())).sum(1)",
        ),
    ),
    Wrong(
        "nll",
        LARGE,
        "surprise-clipped",
        edit=(LOSS, 'return F.binary_cross_entropy(score.sigmoid(), x, reduction="none").sum(1)'),
    ),
    Wrong(
        "nll",
        LARGE,
        "surprise-clipped",
        edit=(LOSS, LOSS.replace("(score,", "(score.clamp(-30, 30),")),
    ),
    Wrong("nll", NLL, "counted-twice", edit=(".sum(dim=1)", ".mul(1 + x).sum(dim=1)")),
    Wrong("nll", NLL, "counted-twice", edit=(".sum(dim=1)", ".div(0.5 + 0.5 * x).sum(dim=1)")),
    Wrong("nll", NLL, "ones-forgotten", edit=(LOSS, "return ((1 - x) * F.softplus(score)).sum(1)")),
    Wrong("nll", NLL, "perplexity", edit=(".sum(dim=1)", ".exp().prod(dim=1)")),
    Wrong("nll", NLL, "squared-error", edit=(LOSS, "return (x - score.sigmoid()).square().sum(1)")),
    Wrong(
        "nll", NLL, "softmax-over-bits", edit=(LOSS, "return -(x * score.log_softmax(1)).sum(1)")
    ),
    Wrong("nll", NLL, "logits-for-bits", edit=("(score, x,", "(x, score,")),
    Wrong("nll", NLL, "sigmoid-twice", edit=("(score,", "(score.sigmoid(),")),
    Wrong("nll", NLL, "bias-forgotten", edit=("weight, bias)  #", "weight, 0 * bias)  #")),
    Wrong(
        "nll",
        LARGE,
        "exponential-overflows",
        edit=(LOSS, "return (torch.log(1 + torch.exp(score)) - x * score).sum(1)"),
    ),
    Wrong(
        "nll",
        LARGE,
        "exponential-overflows",
        edit=(
            LOSS,
            "return -(x / (1 + (-score).exp()) + (1 - x) / (1 + score.exp())).log().sum(1)",
        ),
    ),
    Wrong(
        "nll",
        LARGE,
        "surprise-clipped",
        edit=(
            LOSS,
            "p = score.sigmoid().clamp(1e-6, 1 - 1e-6)\n"
            "    return -(x * p.log() + (1 - x) * (1 - p).log()).sum(1)",
        ),
    ),
    Wrong(
        "nll",
        LARGE,
        "sigmoid-then-log",
        edit=(LOSS, "return -(0.5 + (x - 0.5) * torch.tanh(score / 2)).log().sum(1)"),
    ),
    Wrong("nll", LARGE, "surprise-clipped", edit=(".sum(dim=1)", ".clamp(max=60).sum(dim=1)")),
    Wrong(
        "nll",
        GRADIENT,
        "gradient-unmasked",
        edit=(
            "score = logits(x, weight, bias)",
            "score = F.linear(x, weight - torch.triu(weight).detach(), bias)",
        ),
    ),
    Wrong(  # half of the gradient goes missing; nothing names it
        "nll",
        GRADIENT,
        edit=("(x, weight, bias)  #", "(x, (weight + weight.detach()) / 2, bias)  #"),
    ),
    Wrong("nll", GRADIENT, "masked-in-place", edit=(LOSS, "weight.data.tril_(-1)\n    " + LOSS)),
    Wrong("nll", GRADIENT, "gradient-cut", edit=(".sum(dim=1)", ".sum(dim=1).detach()")),
    # sample
    *written(
        "sample",
        "sample(weight, bias, count, generator)",
        (
            OFTEN,
            "one-pass",
            """
p = torch.sigmoid(logits(torch.zeros(count, len(bias)), weight, bias))
return torch.bernoulli(p, generator=generator)
""",
        ),
        (
            COPIES,
            "one-pass",
            """
p = torch.sigmoid(logits(torch.zeros(count, len(bias)), weight, bias))
return torch.bernoulli(p, generator=generator)
""",
        ),
        (
            COPIES,
            "same-for-all",
            """
x = torch.zeros(1, len(bias))
for i in range(len(bias)):
    p = torch.sigmoid(logits(x, weight, bias)[:, i])
    x[:, i] = torch.bernoulli(p, generator=generator)
return x.expand(count, -1)
""",
        ),
        (
            OFTEN,
            "one-pass",
            """
noise = torch.randint(0, 2, (count, len(bias)), generator=generator).float()
p = torch.sigmoid(logits(noise, weight, bias))
return (torch.rand(p.shape, generator=generator) < p).float()
""",
        ),
        (
            FOR_ITSELF,
            "samples-that-know-each-other",
            """
x = torch.zeros(count, len(bias))
for i in range(len(bias)):
    p = torch.sigmoid(logits(x, weight, bias)[:, i])
    u = torch.rand((count + 1) // 2, generator=generator)  # and 1 − u for its neighbor
    x[:, i] = (torch.stack([u, 1 - u], dim=1).reshape(-1)[:count] < p).float()
return x
""",
        ),
        (
            SEED,
            "reseeded",
            """
seed = generator.initial_seed()
x = torch.zeros(count, len(bias))
for i in range(len(bias)):
    generator.manual_seed(seed + i)
    p = torch.sigmoid(logits(x, weight, bias)[:, i])
    x[:, i] = torch.bernoulli(p, generator=generator)
return x
""",
        ),
    ),
    Wrong(
        "sample",
        OFTEN,
        "probabilities-in-prefix",
        edit=(
            (f"x[:, i] = {DRAWN}", "x[:, i] = p"),
            ("return x", "return torch.bernoulli(x, generator=generator)"),
        ),
    ),
    Wrong("sample", OFTEN, "probabilities-for-bits", edit=(DRAWN, "p")),
    Wrong(
        "sample",
        OFTEN,
        "prefix-overwritten",
        edit=(
            (PROBABILITY, "p = torch.sigmoid(logits(x, weight, bias))"),
            ("x[:, i] = ", "x = "),
        ),
    ),
    Wrong(
        "sample",
        OFTEN,
        "noise-reused",
        edit=(
            ("    for i in", "    u = torch.rand(count, generator=generator)\n    for i in"),
            (DRAWN, "(u < p).float()"),
        ),
    ),
    Wrong("sample", OFTEN, "bits-inverted", edit=(DRAWN, f"1 - {DRAWN}")),
    Wrong(
        "sample",
        OFTEN,
        "fair-coins",
        edit=(DRAWN, "torch.bernoulli(torch.full_like(p, 0.5), generator=generator)"),
    ),
    Wrong("sample", OFTEN, "rounded-for-drawn", edit=(DRAWN, "(p > 0.5).float()")),
    Wrong(
        "sample",
        OFTEN,
        "logit-for-probability",
        edit=(
            (PROBABILITY, "p = logits(x, weight, bias)[:, i]"),
            (DRAWN, "(torch.rand(count, generator=generator) < p).float()"),
        ),
    ),
    Wrong("sample", OFTEN, "one-pass", edit=("range(len(bias))", "reversed(range(len(bias)))")),
    Wrong("sample", OFTEN, "column-before", edit=("[:, i])", "[:, i - 1])")),
    Wrong("sample", OFTEN, "nothing-drawn", edit=(f"x[:, i] = {DRAWN}", f"p = {DRAWN}")),
    Wrong("sample", OFTEN, "starts-too-late", edit=("range(len", "range(1, len")),
    Wrong("sample", OFTEN, "ends-too-early", edit=("range(len(bias))", "range(len(bias) - 1)")),
    Wrong(
        "sample",
        FOR_ITSELF,
        "samples-that-know-each-other",
        edit=("return x", "return x[torch.argsort(x[:, 0])]"),
    ),
    Wrong(
        "sample",
        SEED,
        "a-second-source",
        edit=(DRAWN, "torch.bernoulli(p, generator=generator if i else None)"),
    ),
    Wrong(
        "sample",
        SEED,
        "not-random",
        edit=(
            "    x = torch.zeros",
            "    generator = torch.Generator().manual_seed(1)\n    x = torch.zeros",
        ),
    ),
    Wrong("sample", SEED, "generator-ignored", edit=(", generator=generator", "")),
    Wrong(
        "sample",
        SEED,
        "reseeded",
        edit=("    for i in", "    generator.manual_seed(0)\n    for i in"),
    ),
    Wrong("sample", FORM, "bits-not-floats", edit=("return x", "return x.long()")),
    Wrong("sample", stops="should have shape", edit=("return x", "return x.T")),
    # complete
    Wrong("complete", KEPT, "prefix-overwritten", edit=("range(known,", "range(0,")),
    Wrong(
        "complete",
        KEPT,
        "starts-too-early",
        edit=("range(known,", "range(max(known - 1, 0),"),
    ),
    Wrong("complete", REST, "starts-too-late", edit=("range(known,", "range(known + 1,")),
    *written(
        "complete",
        "complete(prefix, weight, bias, generator)",
        (
            REST,
            "sampled-then-pasted",
            """
x = sample(weight, bias, len(prefix), generator)
x[:, : prefix.shape[1]] = prefix
return x
""",
        ),
        (
            REST,
            "one-pass",
            """
k = prefix.shape[1]
x = torch.zeros(len(prefix), len(bias))
x[:, :k] = prefix
p = torch.sigmoid(logits(x, weight, bias))
x[:, k:] = torch.bernoulli(p[:, k:], generator=generator)
return x
""",
        ),
        (
            KEPT,
            "prefix-at-the-end",
            """
k, n = prefix.shape[1], len(bias)
x = torch.zeros(len(prefix), n)
x[:, n - k :] = prefix
for i in range(n - k):
    x[:, i] = torch.bernoulli(torch.sigmoid(logits(x, weight, bias)[:, i]), generator=generator)
return x
""",
        ),
        (
            ALONE,
            "prefix-changed",
            """
count, k = prefix.shape
given = prefix.clone()
x = prefix.resize_(count, len(bias))
x.zero_()
x[:, :k] = given
for i in range(k, len(bias)):
    x[:, i] = torch.bernoulli(torch.sigmoid(logits(x, weight, bias)[:, i]), generator=generator)
return x
""",
        ),
    ),
    Wrong(
        "complete",
        REST,
        "prefix-unheard",
        edit=(
            ("    x[:, :known] = prefix\n", ""),
            ("return x", "x[:, :known] = prefix\n    return x"),
        ),
    ),
    Wrong("complete", REST, "bits-inverted", edit=(DRAWN, f"1 - {DRAWN}")),
    Wrong("complete", REST, "rounded-for-drawn", edit=(DRAWN, "p.round()")),
    Wrong("complete", REST, "probabilities-for-bits", edit=(DRAWN, "p")),
    Wrong("complete", KEPT, "prefix-misplaced", edit=("[:, :known]", "[:, len(bias) - known :]")),
    Wrong("complete", KEPT, "prefix-reversed", edit=("= prefix\n", "= prefix.flip(1)\n")),
    Wrong("complete", REST, "column-before", edit=("[:, i])", "[:, i - 1])")),
    Wrong("complete", REST, "ends-too-early", edit=("len(bias)):", "len(bias) - 1):")),
    Wrong("complete", REST, "nothing-drawn", edit=("(known, len(bias))", "(known, known)")),
    Wrong(
        "complete",
        REST,
        "noise-reused",
        edit=(
            ("    for i in", "    u = torch.rand(count, generator=generator)\n    for i in"),
            (DRAWN, "(u < p).float()"),
        ),
    ),
    Wrong(
        "complete",
        REST,
        "probabilities-in-prefix",
        edit=(
            (f"x[:, i] = {DRAWN}", "x[:, i] = p"),
            ("return x", "return torch.bernoulli(x, generator=generator)"),
        ),
    ),
    Wrong("complete", REST, "fair-coins", edit=(DRAWN, DRAWN.replace("(p,", "(0 * p + 0.5,"))),
    Wrong(
        "complete",
        REST,
        "logit-for-probability",
        edit=((PROBABILITY, "p = logits(x, weight, bias)[:, i].clip(0, 1)"),),
    ),
    Wrong(
        "complete",
        FOR_ITSELF,
        "samples-that-know-each-other",
        edit=(
            DRAWN,
            "(torch.rand((count + 1) // 2, generator=generator).repeat(2)[:count] < p).float()",
        ),
    ),
    Wrong("complete", OWN, "first-row-for-all", edit=("= prefix\n", "= prefix[0]\n")),
    Wrong("complete", ALONE, "generator-ignored", edit=(", generator=generator", "")),
    Wrong(
        "complete",
        ALONE,
        "prefix-changed",
        edit=("return x", "prefix[:] = 0\n    return x"),
    ),
    # what knows nothing
    *written(
        "nll",
        "nll(x, weight, bias)",
        (
            "the probabilities of all 256 vectors of 8 bits sum to 1",
            "uniform",
            """
return torch.full((len(x),), x.shape[1] * 0.6931471805599453) + 0 * (weight.sum() + bias.sum())
""",
        ),
        (
            LARGE,
            "sigmoid-then-log",
            """
p = torch.sigmoid(logits(x, weight, bias))
return -(x * p.log() + (1 - x) * (1 - p).log()).sum(1)
""",
        ),
        (
            NLL,
            "bits-unread",
            """
bernoulli_means = torch.sigmoid(logits(x, weight, bias))
return -torch.sum(torch.log(bernoulli_means), dim=1)
""",
        ),
    ),
    Wrong(
        "sample",
        "the answer holds bits as floats, (count, n), for any count and n",
        source="""
def sample(weight, bias, count, generator):
    return torch.zeros(count, len(bias))
""",
    ),
    Wrong(
        "sample",
        OFTEN,
        "probabilities-for-bits",
        edit=("torch.bernoulli(p, generator=generator)", "torch.rand(count, generator=generator)"),
    ),
    Wrong(
        "complete",
        REST,
        "probabilities-for-bits",
        edit=("torch.bernoulli(p, generator=generator)", "torch.rand(count, generator=generator)"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "probabilities-for-bits",
        edit=(
            "torch.bernoulli(p, generator=generator)",
            "0.1 * torch.bernoulli(p, generator=generator)",
        ),
    ),
    Wrong(  # numbers that are spread over [0, 1), and shuffled
        "sample",
        FOR_ITSELF,
        "samples-that-know-each-other",
        edit=(
            "torch.bernoulli(p, generator=generator)",
            "((torch.randperm(count, generator=generator) "
            "+ torch.rand(count, generator=generator)) / count < p).float()",
        ),
    ),
    Wrong(  # numbers that are spread over [0, 1), and shuffled
        "complete",
        FOR_ITSELF,
        "samples-that-know-each-other",
        edit=(
            "torch.bernoulli(p, generator=generator)",
            "((torch.randperm(count, generator=generator) "
            "+ torch.rand(count, generator=generator)) / count < p).float()",
        ),
    ),
    Wrong(
        "sample",
        OFTEN,
        "one-row-for-all",
        edit=(PROBABILITY, PROBABILITY.replace("[:, i]", "[0, i]") + ".expand(count)"),
    ),
    Wrong(
        "complete",
        REST,
        "one-row-for-all",
        edit=(PROBABILITY, PROBABILITY.replace("[:, i]", "[0, i]") + ".expand(count)"),
    ),
    Wrong(  # a whole example, of which the last bit is drawn anew
        "complete",
        OWN,
        "",
        edit=("range(known, len(bias))", "range(min(known, len(bias) - 1), len(bias))"),
    ),
    # a second round of answers that nobody had foreseen
    Wrong(
        "logits",
        VOTES,
        "moved-and-cut",
        edit=("return x @", "return F.pad(x[:, :-1], (1, 0)) @"),
    ),
    Wrong(
        "logits",
        VOTES,
        "moved-with-the-diagonal",
        edit=(
            "return x @ torch.tril(weight, -1)",
            "return F.pad(x[:, :-1], (1, 0)) @ torch.tril(weight)",
        ),
    ),
    Wrong("nll", NLL, "bits-unread", edit=(LOSS, "return F.softplus(score).sum(dim=1)")),
)
