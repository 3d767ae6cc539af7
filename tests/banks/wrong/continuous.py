"""Wrong answers to lesson 07, continuous."""

from tests.banks.bank import Wrong, written

SMOOTHED = "x costs −log of its share (count + alpha) / (N + levels · alpha)"
NEVER = "without smoothing, shares are frequencies, and a level that never came costs inf"
BELL = "x costs ½z² + log σ + ½ log 2π nats, where z = (x − μ)/σ"
FAR_BELL = "far out it costs about ½z² nats, and has a finite slope that leads back"
MIXED = "x costs −log Σ w_k N(x; μ_k, σ_k²), with one mixture for all x or one for each"
FAR = "hundreds of σ away its price is finite, and exact; so it is on a spike"
SLOPE = "its slope in x is finite everywhere, and leads back to the components"
MIDDLE = "a level between the ends has the mass from x − ½ to x + ½ under the mixture"
EDGES = "the first and the last level have all that lies beyond them too"
STABLE = "it is exact for scales from 1e-4 to 1e4, and for levels however far"
SINGLE = "in single precision too, a wide component keeps its digits"
EACH = "each x may have its own mixture, with parameters (B, K)"
OFTEN = "each level comes as often as the discretized mixture says, the ends included"
ITSELF = "each sample is drawn for itself"
GENERATOR = "all randomness comes from the given generator"
BY_DEFAULT = "without a generator each call draws anew"
UNIFORM = "y · levels − x is uniform between 0 and 1, along each row and column too"
OWN = "each number has noise of its own"
BITS = "nats of a density on [0, 1) become bits for each level of each dimension"
BELOW = "each x becomes the probability that the mixture puts below it"

SHARES = "(counts + alpha) / (len(train) + levels * alpha)"
NLL = "return 0.5 * z**2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)"
MIXTURE = "return -torch.logsumexp(F.log_softmax(logits, dim=-1) + log_densities, dim=-1)"
EXACT = "below + above + torch.log(-torch.expm1(-1 / scale))"
JOINED = "return torch.logsumexp(F.log_softmax(logits, dim=-1) + log_mass, dim=-1)"
FIRST = "    log_mass = torch.where(x == 0, below, log_mass)\n"
LAST = "    log_mass = torch.where(x == levels - 1, above, log_mass)\n"
DRAWN = "x = mu[chosen] + scale[chosen] * torch.logit(u)"
LEVEL = "return x.round().clamp(0, levels - 1).long()"
CHOSEN = "torch.multinomial(logits.softmax(-1), count, replacement=True, generator=generator)"
FILLED = "return (x + u) / levels"
PRICE = "return nll / (dims * math.log(2)) + math.log2(levels)"
SHARE = "return (logits.softmax(-1) * below).sum(-1)"


def _rows(exercise: str, fails: str, *rows: tuple) -> list[Wrong]:
    """A wrong answer for each (misconception, edit)."""
    return [Wrong(exercise, fails, name, edit=edit) for name, edit in rows]


_HEAVIEST = "at = logits.argmax(-1, keepdim=True).expand(len(x), 1)"
_WIDTHS = (
    "(x + 0.5 - mu) / scale, (x - 0.5 - mu)",
    "(x + 1 / 255 - mu) / scale, (x - 1 / 255 - mu)",
)
_ON_EMPTY = "counts + alpha * (counts == 0)"
_SHORT = (
    ("below, log_mass", "F.logsigmoid(b), log_mass"),
    ("above, log_mass", "F.logsigmoid(-a), log_mass"),
)
_INSIDE = (
    "x = x.round()\n    inside = x[(x >= 0) & (x < levels)]\n"
    "    return inside[torch.arange(count) % len(inside)].long()"
)

MORE = (
    *_rows(
        "histogram_nll",
        SMOOTHED,
        *(
            ("empty-levels-only", (SHARES, f"({_ON_EMPTY}) / ({whole})"))
            for whole in (
                "len(train) + levels * alpha",
                "len(train) + alpha * (counts == 0).sum()",
                "len(train)",
            )
        ),
        ("average", ("shares[x])", "shares[x]).mean().expand(len(x))")),
        (
            "counts-of-the-test-set",
            (
                ("bincount(train", "bincount(torch.cat([train, x])"),
                ("len(train)", "(len(train) + len(x))"),
            ),
        ),
        ("density-for-probability", ("shares[x])", "levels * shares[x])")),
    ),
    *_rows(
        "gaussian_nll",
        BELL,
        ("constant-forgotten", ("0.5 * math.log(2 * math.pi)", "math.log(2 * math.pi)")),
        ("sigma-for-variance", ("+ torch.log(sigma)", "+ 0.5 * torch.log(sigma)")),
        ("variance-squared", ("(x - mu) / sigma", "(x - mu) / sigma**2")),
    ),
    *_rows(
        "mixture_nll",
        MIXED,
        (
            "mixture-of-logs",
            (MIXTURE, "return -(F.log_softmax(logits, dim=-1) + log_densities).sum(-1)"),
        ),
        ("mean-for-sum", (MIXTURE, MIXTURE + " + math.log(mu.shape[-1])")),
        (
            "heaviest-component-only",
            (MIXTURE, f"{_HEAVIEST}\n    return -log_densities.gather(-1, at)[:, 0]"),
        ),
        (
            "softmax-over-the-batch",
            ("F.log_softmax(logits, dim=-1)", "F.log_softmax(logits, dim=0)"),
        ),
    ),
    *_rows(
        "discretized_logistic_mixture",
        MIDDLE,
        (
            "gaussian-for-logistic",
            (
                (
                    "F.logsigmoid(a), F.logsigmoid(-b)",
                    "torch.special.log_ndtr(a), torch.special.log_ndtr(-b)",
                ),
                (EXACT, "torch.log(torch.special.ndtr(a) - torch.special.ndtr(b))"),
            ),
        ),
        ("width-of-another-axis", (_WIDTHS, ("torch.expm1(-1 / scale)", "torch.expm1(b - a)"))),
        *(
            (name, ("x = x[:, None]", f"x, scale = x[:, None], {wrong}"))
            for name, wrong in (
                ("scale-squared", "scale**2"),
                ("scale-squared", "scale.sqrt()"),
                ("scale-forgotten", "torch.ones_like(scale)"),
                ("scale-inverse", "1 / scale"),
                ("log-scale", "scale.exp()"),
            )
        ),
    ),
    *_rows(
        "discretized_logistic_mixture",
        EDGES,
        *(("edge-level-left-out", edit) for edit in (_SHORT, *_SHORT)),
    ),
    *_rows(
        "discretized_logistic_mixture",
        SINGLE,
        ("cancellation", ("-torch.expm1(-1 / scale)", "1 - torch.exp(-(a - b))")),
        ("cancellation", ("torch.log(-torch.expm1(-1 / scale))", "torch.log1p(-torch.exp(b - a))")),
    ),
    *_rows(
        "sample",
        OFTEN,
        ("one-component-for-all", (CHOSEN, CHOSEN.replace("count", "1"))),
        (
            "one-bell-for-several",
            (
                ("torch.rand(count,", "torch.rand(count, len(mu),"),
                (DRAWN, "x = (mu + scale * torch.logit(u)) @ logits.softmax(-1)"),
            ),
        ),
        ("levels-off-by-one", ("levels - 1", "levels")),
        ("ceiling-for-round", ("x.round()", "x.ceil()")),
        ("gaussian-for-logistic", ("torch.logit(u)", "torch.special.ndtri(u)")),
        ("mean-for-sample", (DRAWN, "x = (logits.softmax(-1) @ mu).expand(count)")),
        ("scale-squared", ("scale[chosen]", "scale[chosen] ** 2")),
        ("outside-drawn-again", (LEVEL, _INSIDE)),
    ),
    *_rows(
        "sample",
        GENERATOR,
        ("not-random", ("chosen =", "generator = torch.Generator().manual_seed(1)\n    chosen =")),
        ("reseeded", ("chosen =", "generator.manual_seed(1)\n    chosen =")),
    ),
    *_rows(
        "sample",
        BY_DEFAULT,
        (
            "seeded-by-default",
            ("chosen =", "generator = generator or torch.Generator()\n    chosen ="),
        ),
        ("generator-needed", ("device=mu.device", "device=generator.device")),
    ),
    *_rows(
        "dequantize",
        UNIFORM,
        ("noise-forgotten", ("(x + u)", "(x + 0.5)")),
        ("noise-shared", ("torch.rand(x.shape,", "torch.rand(1,")),
        ("noise-of-another-width", ("(x + u)", "(x + 2 * u)")),
        ("noise-of-another-width", ("(x + u)", "(x + 2 * u - 1)")),
        ("noise-subtracted", ("(x + u)", "(x - u)")),
        ("not-divided", (FILLED, "return x + u / levels")),
    ),
    *_rows(
        "bits_per_dim",
        BITS,
        ("dims-forgotten", (PRICE, "return nll / math.log(2) + dims * math.log2(levels)")),
        ("levels-off-by-one", ("math.log2(levels)", "math.log2(levels - 1)")),
        ("nats-for-bits", (PRICE, "return nll / dims + math.log(levels)")),
        ("sign", ("return nll", "return -nll")),
    ),
    *_rows(
        "pit",
        BELOW,
        ("erf", ("torch.special.ndtr(", "0.5 + 0.5 * torch.erf(")),
        ("log-for-probability", (SHARE, SHARE + ".log()")),
        (
            "one-bell-for-several",
            (
                SHARE,
                "w = logits.softmax(-1)\n"
                "    return torch.special.ndtr((x - (w * mu).sum(-1)) / (w * sigma).sum(-1))",
            ),
        ),
    ),
)

ANSWERS = (
    # histogram_nll
    Wrong("histogram_nll", SMOOTHED, "smoothing-forgotten", edit=(SHARES, "counts / len(train)")),
    *(
        Wrong("histogram_nll", SMOOTHED, "smoothing-not-normalized", edit=("levels * alpha", wrong))
        for wrong in ("0", "alpha", "levels", "(counts > 0).sum() * alpha")
    ),
    Wrong(
        "histogram_nll",
        SMOOTHED,
        "alpha-ignored",
        edit=(SHARES, "(counts + 1) / (len(train) + levels)"),
    ),
    Wrong("histogram_nll", SMOOTHED, "sign", edit=("return -torch", "return torch")),
    Wrong("histogram_nll", SMOOTHED, "bits-for-nats", edit=("torch.log(", "torch.log2(")),
    Wrong(
        "histogram_nll",
        SMOOTHED,
        "probability-for-nll",
        edit=("-torch.log(shares[x])", "shares[x]"),
    ),
    Wrong(
        "histogram_nll",
        SMOOTHED,
        "counts-of-the-test-set",
        edit=(("bincount(train", "bincount(x"), ("len(train)", "len(x)")),
    ),
    Wrong("histogram_nll", stops="should have shape", edit=("shares[x])", "shares[x]).mean()")),
    Wrong("histogram_nll", NEVER, edit=("shares[x])", "shares[x].clamp(min=1e-9))")),
    # gaussian_nll
    Wrong(
        "gaussian_nll",
        BELL,
        "sigma-for-variance",
        edit=("(x - mu) / sigma", "(x - mu) / sigma**0.5"),
    ),
    Wrong(
        "gaussian_nll", BELL, "sigma-for-variance", edit=("torch.log(sigma)", "torch.log(sigma**2)")
    ),
    Wrong("gaussian_nll", BELL, "log-sigma-forgotten", edit=("torch.log(sigma) + ", "")),
    Wrong(
        "gaussian_nll", BELL, "log-sigma-sign", edit=("+ torch.log(sigma)", "- torch.log(sigma)")
    ),
    Wrong("gaussian_nll", BELL, "half-forgotten", edit=("0.5 * z**2", "z**2")),
    Wrong("gaussian_nll", BELL, "constant-forgotten", edit=(" + 0.5 * math.log(2 * math.pi)", "")),
    Wrong("gaussian_nll", BELL, "sign", edit=(NLL, NLL.replace("return ", "return -(") + ")")),
    Wrong(
        "gaussian_nll",
        BELL,
        "density-for-nll",
        edit=(NLL, NLL.replace("return ", "return torch.exp(-(") + "))"),
    ),
    Wrong(
        "gaussian_nll",
        FAR_BELL,
        "underflow",
        edit=(NLL, "return -torch.log(torch.exp(-z**2 / 2) / (sigma * math.sqrt(2 * math.pi)))"),
    ),
    Wrong(
        "gaussian_nll",
        FAR_BELL,
        "epsilon-in-log",
        edit=(NLL, NLL.replace("z**2", "z.clamp(-30, 30)**2")),
    ),
    # mixture_nll
    Wrong(
        "mixture_nll",
        MIXED,
        "mixture-of-logs",
        edit=(MIXTURE, "return -(logits.softmax(-1) * log_densities).sum(-1)"),
    ),
    Wrong(
        "mixture_nll",
        MIXED,
        "logits-not-normalized",
        edit=("F.log_softmax(logits, dim=-1)", "logits"),
    ),
    Wrong("mixture_nll", MIXED, "weights-ignored", edit=("F.log_softmax(logits, dim=-1) + ", "")),
    Wrong("mixture_nll", MIXED, "weight-for-log-weight", edit=("F.log_softmax", "F.softmax")),
    Wrong(
        "mixture_nll",
        MIXED,
        "best-component-only",
        edit=(MIXTURE, "return -(F.log_softmax(logits, dim=-1) + log_densities).max(-1).values"),
    ),
    Wrong("mixture_nll", MIXED, "sign", edit=("return -", "return ")),
    Wrong(
        "mixture_nll", MIXED, "sigma-for-variance", edit=("mu, sigma)  #", "mu, sigma.sqrt())  #")
    ),
    Wrong(
        "mixture_nll",
        FAR,
        "underflow",
        edit=(MIXTURE, "return -torch.log((logits.softmax(-1) * log_densities.exp()).sum(-1))"),
    ),
    Wrong(
        "mixture_nll",
        FAR,
        "epsilon-in-log",
        edit=(
            MIXTURE,
            "return -torch.log((logits.softmax(-1) * log_densities.exp()).sum(-1) + 1e-12)",
        ),
    ),
    Wrong(
        "mixture_nll",
        stops="should have shape",
        edit=("log_densities, dim=-1", "log_densities, dim=0"),
    ),
    Wrong("mixture_nll", SLOPE, edit=("gaussian_nll(x[:", "gaussian_nll(0.5 * (x + x.detach())[:")),
    # discretized_logistic_mixture
    Wrong("discretized_logistic_mixture", EDGES, "no-edge-bins", edit=((FIRST, ""), (LAST, ""))),
    Wrong("discretized_logistic_mixture", EDGES, "no-edge-bins", edit=(LAST, "")),
    Wrong("discretized_logistic_mixture", EDGES, "no-edge-bins", edit=(FIRST, "")),
    Wrong(
        "discretized_logistic_mixture",
        EDGES,
        "levels-ignored",
        edit=("x == levels - 1", "x == 255"),
    ),
    Wrong(
        "discretized_logistic_mixture",
        EDGES,
        "edges-swapped",
        edit=(("x == 0, below", "x == 0, above"), ("levels - 1, above", "levels - 1, below")),
    ),
    Wrong(
        "discretized_logistic_mixture",
        MIDDLE,
        "density-for-probability",
        edit=(
            JOINED,
            "z = (x - mu) / scale\n"
            "    log_mass = F.logsigmoid(z) + F.logsigmoid(-z) - torch.log(scale)\n    " + JOINED,
        ),
    ),
    Wrong(
        "discretized_logistic_mixture",
        STABLE,
        "underflow",
        edit=(EXACT, "torch.log(torch.sigmoid(a) - torch.sigmoid(b))"),
    ),
    Wrong(
        "discretized_logistic_mixture",
        STABLE,
        "epsilon-in-log",
        edit=(EXACT, "torch.log((torch.sigmoid(a) - torch.sigmoid(b)).clamp(min=1e-12))"),
    ),
    Wrong(
        "discretized_logistic_mixture",
        MIDDLE,
        "bin-not-centered",
        edit=("(x + 0.5 - mu) / scale, (x - 0.5 - mu)", "(x + 1 - mu) / scale, (x - mu)"),
    ),
    Wrong(
        "discretized_logistic_mixture",
        MIDDLE,
        "mixture-of-logs",
        edit=(JOINED, "return (logits.softmax(-1) * log_mass).sum(-1)"),
    ),
    Wrong(
        "discretized_logistic_mixture",
        MIDDLE,
        "logits-not-normalized",
        edit=("F.log_softmax(logits, dim=-1)", "logits"),
    ),
    Wrong("discretized_logistic_mixture", MIDDLE, "sign", edit=("return torch", "return -torch")),
    Wrong(
        "discretized_logistic_mixture",
        MIDDLE,
        "probability-for-log",
        edit=(JOINED, JOINED + ".exp()"),
    ),
    Wrong(
        "discretized_logistic_mixture",
        EACH,
        edit=(
            "log_softmax(logits, dim=-1)",
            "log_softmax(logits.reshape(-1, logits.shape[-1])[0], dim=-1)",
        ),
    ),
    # sample
    Wrong("sample", OFTEN, "mean-for-sample", edit=(DRAWN, "x = mu[chosen]")),
    Wrong(
        "sample", OFTEN, "weights-ignored", edit=("logits.softmax(-1)", "torch.ones_like(logits)")
    ),
    Wrong("sample", OFTEN, "floor-for-round", edit=("x.round()", "x.floor()")),
    Wrong("sample", OFTEN, "not-clamped", edit=(".clamp(0, levels - 1)", "")),
    Wrong("sample", OFTEN, "scale-forgotten", edit=("scale[chosen] * ", "")),
    Wrong(
        "sample",
        OFTEN,
        "most-likely-component",
        edit=(CHOSEN, "logits.argmax().repeat(count)"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "one-bell-for-several",
        edit=((DRAWN, "w = logits.softmax(-1)\n    x = w @ mu + (w @ scale) * torch.logit(u)"),),
    ),
    Wrong(
        "sample",
        OFTEN,
        "same-for-all",
        edit=(
            (CHOSEN, CHOSEN.replace("count", "1")),
            ("torch.rand(count,", "torch.rand(1,"),
            (LEVEL, LEVEL + ".repeat(count)"),
        ),
    ),
    Wrong(
        "sample",
        GENERATOR,
        "generator-ignored",
        edit=(
            (CHOSEN, CHOSEN.replace(", generator=generator", "")),
            ("count, generator=generator, dtype", "count, dtype"),
        ),
    ),
    Wrong(
        "sample",
        GENERATOR,
        "a-second-source",
        edit=("count, generator=generator, dtype", "count, dtype"),
    ),
    Wrong("sample", ITSELF, "samples-that-know-each-other", edit=(LEVEL, LEVEL + ".sort().values")),
    # dequantize
    Wrong("dequantize", UNIFORM, "noise-forgotten", edit=(FILLED, "return x / levels")),
    Wrong("dequantize", UNIFORM, "noise-centered", edit=("(x + u)", "(x + u - 0.5)")),
    Wrong(
        "dequantize", UNIFORM, "levels-off-by-one", edit=(FILLED, "return (x + u) / (levels - 1)")
    ),
    Wrong("dequantize", UNIFORM, "noise-of-another-width", edit=("(x + u)", "(x + u / 2)")),
    Wrong(
        "dequantize", UNIFORM, "noise-after-the-division", edit=(FILLED, "return x / levels + u")
    ),
    Wrong("dequantize", UNIFORM, "not-divided", edit=(FILLED, "return x + u")),
    Wrong("dequantize", UNIFORM, "not-divided", edit=(FILLED, "return (x + u) * levels")),
    Wrong("dequantize", UNIFORM, "gaussian-noise", edit=("torch.rand(", "torch.randn(")),
    Wrong(
        "dequantize",
        OWN,
        "noise-shared",
        edit=(
            FILLED,
            "few = (torch.randperm(1000, generator=generator) + 0.5) / 1000\n"
            "    return (x + few[torch.arange(x.numel()).view(x.shape) % 1000]) / levels",
        ),
    ),
    Wrong(
        "dequantize",
        UNIFORM,
        "noise-shared",
        edit=("torch.rand(x.shape,", "torch.rand(x.shape[:1] + (1,) * (x.ndim - 1),"),
    ),
    Wrong("dequantize", GENERATOR, "generator-ignored", edit=("generator=generator, ", "")),
    Wrong(
        "dequantize",
        BY_DEFAULT,
        "seeded-by-default",
        edit=("u = torch", "torch.manual_seed(42)\n    u = torch"),
    ),
    # bits_per_dim
    Wrong("bits_per_dim", BITS, "scale-forgotten", edit=(" + math.log2(levels)", "")),
    Wrong("bits_per_dim", BITS, "scale-sign", edit=("+ math.log2", "- math.log2")),
    Wrong("bits_per_dim", BITS, "dims-forgotten", edit=("(dims * math.log(2))", "math.log(2)")),
    Wrong("bits_per_dim", BITS, "nats-for-bits", edit=("math.log2(", "math.log(")),
    Wrong("bits_per_dim", BITS, "nats-for-bits", edit=("dims * math.log(2)", "dims")),
    Wrong(
        "bits_per_dim",
        BITS,
        "times-for-divided",
        edit=("nll / (dims * math.log(2))", "nll / dims * math.log(2)"),
    ),
    Wrong(
        "bits_per_dim",
        BITS,
        "scale-divided-by-dims",
        edit=(PRICE, "return (nll / math.log(2) + math.log2(levels)) / dims"),
    ),
    Wrong("bits_per_dim", BITS, "eight-bits", edit=("math.log2(levels)", "8")),
    # pit
    Wrong("pit", BELOW, "ranks-of-x", edit=(SHARE, "return (x.argsort().argsort() + 1) / len(x)")),
    Wrong(
        "pit", BELOW, "upper-tail", edit=(SHARE, "return 1 - (logits.softmax(-1) * below).sum(-1)")
    ),
    Wrong(
        "pit",
        BELOW,
        "mixture-of-logs",
        edit=(SHARE, "return (logits.softmax(-1) * below.log()).sum(-1).exp()"),
    ),
    Wrong("pit", BELOW, "weights-ignored", edit=(SHARE, "return below.mean(-1)")),
    Wrong("pit", BELOW, "logistic-for-gaussian", edit=("torch.special.ndtr", "torch.sigmoid")),
    Wrong("pit", BELOW, "sigma-for-variance", edit=("/ sigma)", "/ sigma.sqrt())")),
    Wrong("pit", BELOW, "variance-squared", edit=("/ sigma)", "/ sigma**2)")),
    Wrong(
        "pit",
        BELOW,
        "density-for-cdf",
        edit=(SHARE, "return torch.exp(-mixture_nll(x, logits, mu, sigma))"),
    ),
    Wrong("pit", BELOW, "erf", edit=("torch.special.ndtr", "torch.erf")),
    Wrong("pit", BELOW, "z-for-probability", edit=("torch.special.ndtr", "")),
    *MORE,
    *written(
        "sample",
        "sample(logits, mu, scale, count, levels, generator=None)",
        (
            ITSELF,
            "samples-that-know-each-other",
            """
def spread():
    u = torch.rand(count, generator=generator, dtype=mu.dtype)
    return (torch.randperm(count, generator=generator) + u) / count

chosen = torch.searchsorted(logits.softmax(-1).cumsum(-1), spread()).clamp(max=len(mu) - 1)
x = mu[chosen] + scale[chosen] * torch.logit(spread())
return x.round().clamp(0, levels - 1).long()
""",
        ),
        (
            OFTEN,
            "one-number-for-all",
            """
k = torch.multinomial(logits.softmax(-1), count, True, generator=generator)
u = torch.rand(1, generator=generator)
return (mu[k] + scale[k] * torch.logit(u)).round().clamp(0, levels - 1).long()
""",
        ),
        (
            OFTEN,
            "wrapped-around",
            """
k = torch.multinomial(logits.softmax(-1), count, True, generator=generator)
u = torch.rand(count, generator=generator)
x = mu[k] + scale[k] * torch.logit(u)
return x.round().long() % levels
""",
        ),
        (
            OFTEN,
            "one-number-for-both",
            """
u = torch.rand(count, generator=generator)
k = torch.searchsorted(logits.softmax(-1).cumsum(-1), u).clamp(max=len(mu) - 1)
return (mu[k] + scale[k] * torch.logit(u)).round().clamp(0, levels - 1).long()
""",
        ),
        (
            OFTEN,
            "one-scale-for-all",
            """
k = torch.multinomial(logits.softmax(-1), count, replacement=True, generator=generator)
u = torch.rand(count, generator=generator)
return (mu[k] + scale.mean() * torch.logit(u)).round().clamp(0, levels - 1).long()
""",
        ),
        (
            OFTEN,
            "scale-squared",
            """
k = torch.multinomial(logits.softmax(-1), count, replacement=True, generator=generator)
u = torch.rand(count, generator=generator)
return (mu[k] + scale[k].sqrt() * torch.logit(u)).round().clamp(0, levels - 1).long()
""",
        ),
        (
            ITSELF,
            "samples-that-know-each-other",
            """
share = (logits.softmax(-1) * count).round().long()
k = torch.repeat_interleave(torch.arange(len(mu)), share)
k = torch.cat([k, k.new_full((count,), int(logits.argmax()))])[:count]
k = k[torch.randperm(count, generator=generator)]
u = torch.rand(count, generator=generator)
return (mu[k] + scale[k] * torch.logit(u)).round().clamp(0, levels - 1).long()
""",
        ),
        (
            OFTEN,
            "one-scale-for-all",
            """
w = logits.softmax(-1)
k = torch.multinomial(w, count, replacement=True, generator=generator)
u = torch.rand(count, generator=generator)
return (mu[k] + (w @ scale) * torch.logit(u)).round().clamp(0, levels - 1).long()
""",
        ),
    ),
    Wrong(
        "sample",
        "what is rare comes as well: levels far from the center",
        "tails-cut-off",
        edit=("torch.logit(u)", "torch.logit(u.clamp(1e-3, 1 - 1e-3))"),
    ),
    *_rows(
        "histogram_nll",
        SMOOTHED,
        (
            "bins-of-a-histogram",
            (
                "torch.bincount(train, minlength=levels)",
                "torch.histc(train.double(), bins=levels)",
            ),
        ),
        ("alpha-shared-out", (SHARES, "(counts + alpha / levels) / (len(train) + alpha)")),
        (
            "alpha-added-to-shares",
            (SHARES, "counts / len(train) + alpha\n    shares = shares / shares.sum()"),
        ),
        (
            "alpha-cut-to-a-whole-number",
            (SHARES, "(counts + int(alpha)) / (counts + int(alpha)).sum()"),
        ),
    ),
    Wrong(
        "histogram_nll",
        NEVER,
        "epsilon-in-log",
        edit=("shares[x]", "shares[x].clamp(min=1e-12)"),
    ),
    *_rows(
        "gaussian_nll",
        BELL,
        (
            "bits-for-nats",
            (
                NLL,
                "return 0.5 * z**2 + torch.log2(sigma) + 0.5 * math.log2(2 * math.pi)",
            ),
        ),
        (
            "log-sigma-taken",
            (
                ("(x - mu) / sigma", "(x - mu) * torch.exp(-sigma)"),
                ("torch.log(sigma)", "sigma"),
            ),
        ),
        ("negative-cut-off", (NLL, NLL.replace("return ", "return (") + ").clamp(min=0)")),
        ("sigma-held-up", ("z = (x", "sigma = sigma.clamp(min=1e-3)\n    z = (x")),
        (
            "sigma-held-up",
            (
                NLL,
                "x, mu, sigma = torch.broadcast_tensors(x, mu, sigma)\n"
                "    return F.gaussian_nll_loss(mu, x, sigma**2, full=True, reduction='none')",
            ),
        ),
    ),
    Wrong(
        "gaussian_nll",
        stops="broadcast shape",
        edit=(
            NLL,
            "out = torch.zeros_like(x)\n    out += "
            + NLL.removeprefix("return ")
            + "\n    return out",
        ),
    ),
    *_rows(
        "mixture_nll",
        MIXED,
        (
            "one-bell-for-several",
            (
                MIXTURE,
                "w = logits.softmax(-1)\n    m = (w * mu).sum(-1)\n"
                "    v = (w * (sigma**2 + mu**2)).sum(-1) - m**2\n"
                "    return gaussian_nll(x, m, v.sqrt())",
            ),
        ),
        (
            "one-bell-for-several",
            (
                MIXTURE,
                "w = logits.softmax(-1)\n"
                "    return gaussian_nll(x, (w * mu).sum(-1), (w * sigma).sum(-1))",
            ),
        ),
        (
            "softmax-twice",
            ("F.log_softmax(logits, dim=-1)", "F.log_softmax(logits.softmax(-1), dim=-1)"),
        ),
        (
            "largest-not-put-back",
            (
                MIXTURE,
                "both = F.log_softmax(logits, dim=-1) + log_densities\n"
                "    top = both.max(-1, keepdim=True).values\n"
                "    return -torch.log((both - top).exp().sum(-1))",
            ),
        ),
    ),
    Wrong(
        "bits_per_dim",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=(
            PRICE,
            "nll /= dims * math.log(2)\n    nll += math.log2(levels)\n    return nll",
        ),
    ),
    Wrong(
        "dequantize",
        UNIFORM,
        edit=(FILLED, "return (x + u) / (x + u).max()"),
    ),
    *_rows(
        "pit",
        BELOW,
        (
            "one-bell-for-several",
            (
                SHARE,
                "w = logits.softmax(-1)\n    m = (w * mu).sum(-1)\n"
                "    v = (w * (sigma**2 + mu**2)).sum(-1) - m**2\n"
                "    return torch.special.ndtr((x - m) / v.sqrt())",
            ),
        ),
        (
            "one-bell-for-several",
            (
                SHARE,
                "return torch.special.ndtr((logits.softmax(-1) * (x[:, None] - mu) / sigma)"
                ".sum(-1))",
            ),
        ),
        ("logits-not-normalized", (SHARE, "return (logits * below).sum(-1)")),
    ),
    *written(
        "histogram_nll",
        "histogram_nll(x, train, levels, alpha)",
        (
            SMOOTHED,
            "counts-for-logits",
            """
counts = torch.bincount(train, minlength=levels).float() + alpha
return F.cross_entropy(counts.expand(len(x), -1), x, reduction="none")
""",
        ),
        (
            SMOOTHED,
            "alpha-shared-out",
            """
share = torch.bincount(train, minlength=levels) / len(train)
p = (share + alpha / levels) / (1 + alpha)
return -torch.log(p[x])
""",
        ),
        (
            SMOOTHED,
            "levels-up-to-the-largest",
            """
K = int(train.max()) + 1
counts = torch.bincount(train, minlength=K)
probs = (counts + alpha) / (len(train) + K * alpha)
out = torch.full((len(x),), float("inf"))
known = x < K
out[known] = -probs[x[known]].log()
return out
""",
        ),
        (
            SMOOTHED,
            "counts-of-the-test-set",
            """
counts = F.one_hot(train, levels).sum(0)
return -torch.log((counts[x] + alpha) / (len(x) + levels * alpha))
""",
        ),
        (
            SMOOTHED,
            "counts-for-logits",
            """
counts = torch.bincount(train, minlength=levels).double()
return -counts.log_softmax(0)[x]
""",
        ),
    ),
    *written(
        "gaussian_nll",
        "gaussian_nll(x, mu, sigma)",
        (
            BELL,
            "square-forgotten",
            """
z = torch.abs(x - mu) / sigma
return 0.5 * z + torch.log(sigma) + 0.5 * math.log(2 * math.pi)
""",
        ),
        (
            BELL,
            "constant-forgotten",
            """
z2 = ((x - mu) / sigma) ** 2
return (z2 + 2 * torch.log(sigma) + math.log(math.pi)) / 2
""",
        ),
        (
            BELL,
            "divergence-for-nll",
            """
return 0.5 * (mu**2 + sigma**2 - 1) - torch.log(sigma) + 0 * x
""",
        ),
    ),
    *written(
        "dequantize",
        "dequantize(x, levels, generator=None)",
        (
            UNIFORM,
            "another-axis",
            """
x = x / levels - 0.5
return x + torch.rand(x.shape, generator=generator) / levels
""",
        ),
        (
            UNIFORM,
            "levels-ignored",
            """
return (x + torch.rand(x.shape, generator=generator)) / 256.0
""",
        ),
        (
            UNIFORM,
            "whole-noise",
            """
return (x + torch.randint(0, 2, x.shape, generator=generator)) / levels
""",
        ),
        (
            UNIFORM,
            "logit-taken",
            """
y = (x + torch.rand(x.shape, generator=generator)) / levels
y = 0.05 + 0.9 * y
return torch.logit(y)
""",
        ),
        (
            UNIFORM,
            "noise-not-even",
            """
u = torch.rand((2, *x.shape), generator=generator).mean(0)
return (x + u) / levels
""",
        ),
        (
            OWN,
            "noise-spread-evenly",
            """
n = x.numel()
u = (torch.randperm(n, generator=generator) + 0.5) / n
return (x + u.reshape(x.shape)) / levels
""",
        ),
        (
            UNIFORM,
            "logit-taken",
            """
return torch.logit((x + torch.rand(x.shape, generator=generator)) / levels, eps=1e-9)
""",
        ),
        (
            OWN,
            "noise-spread-evenly",
            """
n = x.numel()
u = (torch.randperm(n, generator=generator) + torch.rand(n, generator=generator)) / n
return (x + u.reshape(x.shape)) / levels
""",
        ),
    ),
    *written(
        "bits_per_dim",
        "bits_per_dim(nll, dims, levels)",
        (
            BITS,
            "ln-2-twice",
            """
return (nll / dims + math.log2(levels)) / math.log(2)
""",
        ),
        (
            BITS,
            "log-of-nll",
            """
return torch.log2(nll.abs()) / dims + math.log2(levels)
""",
        ),
        (
            BITS,
            "another-axis",
            """
bpd = nll / np.log(2)
bpd = bpd / dims
return bpd + math.log2(levels) - 1
""",
        ),
        (
            BITS,
            "levels-of-all-dims",
            """
return nll / (dims * math.log(2)) + dims * math.log2(levels)
""",
        ),
        (
            BITS,
            "negative-cut-off",
            """
return (nll / (dims * math.log(2)) + math.log2(levels)).clamp(min=0)
""",
        ),
        (
            BITS,
            "whole-bits",
            """
return nll / (dims * math.log(2)) + (levels - 1).bit_length()
""",
        ),
        (
            BITS,
            "log-of-nll",
            """
return torch.log2(torch.abs(nll)) / dims + math.log2(levels)
""",
        ),
    ),
    *written(
        "pit",
        "pit(x, logits, mu, sigma)",
        (
            BELOW,
            "logistic-for-gaussian",
            """
below = torch.sigmoid(1.702 * (x[:, None] - mu) / sigma)
return (logits.softmax(-1) * below).sum(-1)
""",
        ),
        (
            BELOW,
            "erf",
            """
z = (x[:, None] - mu) / (sigma * math.sqrt(2))
return (logits.softmax(-1) * torch.erf(z)).sum(-1)
""",
        ),
        (
            BELOW,
            "both-tails",
            """
z = (x[:, None] - mu) / sigma
return (logits.softmax(-1) * 2 * torch.special.ndtr(-z.abs())).sum(-1)
""",
        ),
        (
            BELOW,
            "logits-not-normalized",
            """
w = logits / logits.sum(-1, keepdim=True)
return (w * torch.special.ndtr((x[:, None] - mu) / sigma)).sum(-1)
""",
        ),
        (
            BELOW,
            "best-component-only",
            """
z = (x[:, None] - mu) / sigma
lw = F.log_softmax(logits, -1) - 0.5 * z**2 - torch.log(sigma)
k = lw.argmax(-1, keepdim=True)
return torch.special.ndtr(z.gather(-1, k)).squeeze(-1)
""",
        ),
        (
            "it runs from 0 far below to 1 far above, without a NaN",
            "clamped",
            """
below = torch.special.ndtr((x[:, None] - mu) / sigma)
return (logits.softmax(-1) * below).sum(-1).clamp(1e-3, 1 - 1e-3)
""",
        ),
        (
            "it runs from 0 far below to 1 far above, without a NaN",
            "clamped",
            """
below = torch.special.ndtr((x[:, None] - mu) / sigma)
return (logits.softmax(-1) * below).sum(-1).clamp(1e-4, 1 - 1e-4)
""",
        ),
    ),
    Wrong(
        "mixture_nll",
        FAR,
        "sigma-held-up",
        source="""
def mixture_nll(x, logits, mu, sigma):
    comp = -gaussian_nll(x[:, None], mu, sigma.clamp(min=1e-3))
    return -torch.logsumexp(F.log_softmax(logits, -1) + comp, -1)
""",
    ),
    Wrong(
        "mixture_nll",
        MIXED,
        "mixture-of-logs",
        source="""
def mixture_nll(x, logits, mu, sigma):
    log_densities = -gaussian_nll(x[:, None], mu, sigma) + 0 * logits
    return -log_densities.sum(-1)
""",
    ),
    *written(
        "discretized_logistic_mixture",
        "discretized_logistic_mixture(x, logits, mu, scale, levels)",
        (
            STABLE,
            "height-for-mass",
            """
x = x[:, None]
plus, minus = (x + 0.5 - mu) / scale, (x - 0.5 - mu) / scale

mid = (x - mu) / scale
cdf_delta = torch.sigmoid(plus) - torch.sigmoid(minus)
log_cdf_plus = plus - F.softplus(plus)
log_one_minus_cdf_min = -F.softplus(minus)
log_pdf_mid = mid - torch.log(scale) - 2.0 * F.softplus(mid)
inner = torch.where(cdf_delta > 1e-5, torch.log(torch.clamp(cdf_delta, min=1e-12)), log_pdf_mid)
log_probs = torch.where(x == levels - 1, log_one_minus_cdf_min, inner)
log_probs = torch.where(x == 0, log_cdf_plus, log_probs)
return torch.logsumexp(log_probs + F.log_softmax(logits, dim=-1), dim=-1)
""",
        ),
        (
            STABLE,
            "height-for-mass",
            """
x = x[:, None]
plus, minus = (x + 0.5 - mu) / scale, (x - 0.5 - mu) / scale

mid = (x - mu) / scale
cdf_delta = torch.sigmoid(plus) - torch.sigmoid(minus)
log_pdf_mid = mid - torch.log(scale) - 2.0 * F.softplus(mid)
log_pdf_mid = log_pdf_mid - np.log(127.5)
inner = torch.where(cdf_delta > 1e-5, torch.log(torch.clamp(cdf_delta, min=1e-12)), log_pdf_mid)
log_probs = torch.where(x == levels - 1, F.logsigmoid(-minus), inner)
log_probs = torch.where(x == 0, F.logsigmoid(plus), log_probs)
return torch.logsumexp(log_probs + F.log_softmax(logits, dim=-1), dim=-1)
""",
        ),
        (
            MIDDLE,
            "width-of-another-axis",
            """
y = (2 * x / (levels - 1) - 1)[:, None]
centered = y - mu
inv = 1 / scale
plus, minus = inv * (centered + 1 / (levels - 1)), inv * (centered - 1 / (levels - 1))
lp = torch.log((torch.sigmoid(plus) - torch.sigmoid(minus)).clamp(min=1e-12))
lp = torch.where(y > 0.999, -F.softplus(minus), lp)
lp = torch.where(y < -0.999, plus - F.softplus(plus), lp)
return torch.logsumexp(lp + F.log_softmax(logits, -1), -1)
""",
        ),
        (
            EDGES,
            "edges-for-all",
            """
x = x[:, None]
plus, minus = (x + 0.5 - mu) / scale, (x - 0.5 - mu) / scale

lp = F.logsigmoid(plus) + F.logsigmoid(-minus) + torch.log(-torch.expm1(-1 / scale))
if (x == 0).any():
    lp = F.logsigmoid(plus)
elif (x == levels - 1).any():
    lp = F.logsigmoid(-minus)
return torch.logsumexp(F.log_softmax(logits, -1) + lp, -1)
""",
        ),
        (
            MIDDLE,
            "renormalized",
            """
v = torch.arange(levels)[:, None]
if mu.dim() == 2:
    v = v[:, None]
a, b = (v + 0.5 - mu) / scale, (v - 0.5 - mu) / scale
lp = F.logsigmoid(a) + F.logsigmoid(-b) + torch.log(-torch.expm1(-1 / scale))
all_levels = torch.logsumexp(F.log_softmax(logits, -1) + lp, -1).log_softmax(0)
return all_levels[x] if mu.dim() == 1 else all_levels[x, torch.arange(len(x))]
""",
        ),
        (
            STABLE,
            "scale-held-up",
            """
x = x[:, None]
scale = scale.clamp(min=math.exp(-7))
plus, minus = (x + 0.5 - mu) / scale, (x - 0.5 - mu) / scale

lp = F.logsigmoid(plus) + F.logsigmoid(-minus) + torch.log(-torch.expm1(-1 / scale))
lp = torch.where(x == levels - 1, F.logsigmoid(-minus), lp)
lp = torch.where(x == 0, F.logsigmoid(plus), lp)
return torch.logsumexp(F.log_softmax(logits, -1) + lp, -1)
""",
        ),
        (
            STABLE,
            "scale-held-up",
            """
scale = scale.clamp(min=0.05)
x = x[:, None]
a, b = (x + 0.5 - mu) / scale, (x - 0.5 - mu) / scale
parts = F.logsigmoid(a) + F.logsigmoid(-b) + torch.log(-torch.expm1(-1 / scale))
parts = torch.where(x == levels - 1, F.logsigmoid(-b), parts)
parts = torch.where(x == 0, F.logsigmoid(a), parts)
return torch.logsumexp(F.log_softmax(logits, -1) + parts, -1)
""",
        ),
        (
            EDGES,
            "edges-for-all",
            """
at = x[:, None]
a, b = (at + 0.5 - mu) / scale, (at - 0.5 - mu) / scale
parts = F.logsigmoid(a) + F.logsigmoid(-b) + torch.log(-torch.expm1(-1 / scale))
if (x == levels - 1).any():
    parts = F.logsigmoid(-b)
elif (x == 0).any():
    parts = F.logsigmoid(a)
return torch.logsumexp(F.log_softmax(logits, -1) + parts, -1)
""",
        ),
    ),
    # what other people write
    Wrong(
        "histogram_nll", SMOOTHED, "counts-of-the-test-set", edit=("bincount(train,", "bincount(x,")
    ),
    *(
        Wrong(
            "gaussian_nll",
            FAR_BELL,
            "epsilon-in-log",
            edit=(
                NLL,
                "return -torch.log(torch.exp(-0.5 * z**2) / (sigma * math.sqrt(2 * math.pi))"
                f" + {small})",
            ),
        )
        for small in ("1e-8", "1e-12")
    ),
    Wrong(
        "mixture_nll",
        FAR,
        "epsilon-in-log",
        edit=(
            MIXTURE,
            "return -torch.log((logits.softmax(-1) * log_densities.exp()).sum(-1) + 1e-8)",
        ),
    ),
    Wrong(
        "discretized_logistic_mixture",
        MIDDLE,
        "width-upside-down",
        edit=("expm1(-1 / scale)", "expm1(-scale)"),
    ),
    Wrong(
        "discretized_logistic_mixture",
        MIDDLE,
        edit=("torch.where(x == 0, below", "torch.where(x <= 1, below"),
    ),
    *(
        Wrong("sample", OFTEN, "another-noise", edit=("torch.logit(u)", noise))
        for noise in (
            "-torch.log(-torch.log(u))",
            "-torch.log(u)",
            "u",
            "(u - 0.5)",
            "torch.sigmoid(u)",
        )
    ),
    *(
        Wrong("sample", OFTEN, name, edit=("torch.logit(u)", f"torch.logit({cut})"))
        for name, cut in (("tails-cut-off", "0.8 * u + 0.1"), ("", "0.9 * u + 0.05"))
    ),
    Wrong("sample", OFTEN, "sigmoid-for-softmax", edit=("logits.softmax(-1)", "logits.sigmoid()")),
    Wrong(
        "sample",
        OFTEN,
        "one-center-for-all",
        edit=("x = mu[chosen] +", "x = (logits.softmax(-1) * mu).sum() +"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "center-scaled",
        edit=(DRAWN, "x = scale[chosen] * (mu[chosen] + torch.logit(u))"),
    ),
    Wrong("dequantize", UNIFORM, "another-axis", edit=(FILLED, "return 2 * (x + u) / levels - 1")),
    Wrong(
        "dequantize",
        UNIFORM,
        "levels-off-by-one",
        edit=(FILLED, "return x / (levels - 1) + u / levels"),
    ),
    *written(
        "histogram_nll",
        "histogram_nll(x, train, levels, alpha)",
        (
            SMOOTHED,
            "seen-levels-only",
            """
counts = torch.bincount(train, minlength=levels).float()
counts[counts > 0] += alpha
return -(counts / counts.sum()).log()[x]
""",
        ),
        (
            SMOOTHED,
            "seen-levels-only",
            """
counts = torch.bincount(train, minlength=levels).float()
raised = torch.where(counts > 0, counts + alpha, counts)
return -torch.log(raised / (len(train) + levels * alpha))[x]
""",
        ),
        (
            SMOOTHED,
            "alpha-shared-out",
            """
share = torch.bincount(train, minlength=levels) / len(train)
return -torch.log((1 - alpha) * share + alpha / levels)[x]
""",
        ),
        (
            SMOOTHED,
            "levels-up-to-the-largest",
            """
counts = torch.bincount(train) + alpha
table = torch.zeros(levels)
table[: len(counts)] = counts / counts.sum()
return -table.log()[x]
""",
        ),
    ),
    *written(
        "gaussian_nll",
        "gaussian_nll(x, mu, sigma)",
        (
            BELL,
            "log-sigma-taken",
            "return 0.5 * (sigma + (x - mu) ** 2 / sigma.exp() + math.log(2 * math.pi))",
        ),
        (
            BELL,
            "sigma-held-up",
            """
var = sigma**2 + 1e-4
return (x - mu) ** 2 / (2 * var) + 0.5 * (2 * math.pi * var).log()
""",
        ),
    ),
    *written(
        "mixture_nll",
        "mixture_nll(x, logits, mu, sigma)",
        (
            MIXED,
            "mixture-of-logs",
            """
logs = F.log_softmax(logits, -1) - gaussian_nll(x.unsqueeze(-1), mu, sigma)
return -logs.mean(-1)
""",
        ),
        (
            MIXED,
            "weights-added",
            """
w, logs = logits.softmax(-1), -gaussian_nll(x[:, None], mu, sigma)
top = logs.max(-1, keepdim=True).values
return -(torch.log((w + torch.exp(logs - top)).sum(-1)) + top[:, 0])
""",
        ),
        (
            MIXED,
            "weights-added",
            """
w = logits.softmax(-1)
return -torch.log((w + torch.exp(-gaussian_nll(x[:, None], mu, sigma))).sum(-1))
""",
        ),
        (
            MIXED,
            "log-sigma-taken",
            """
logs = F.log_softmax(logits, -1) - gaussian_nll(x[:, None], mu, sigma.exp())
return -torch.logsumexp(logs, -1)
""",
        ),
    ),
    Wrong(
        "dequantize",
        UNIFORM,
        "noise-centered",
        edit=(FILLED, "return ((x + u - 0.5) / levels).clamp(0, 1)"),
    ),
    Wrong(
        "histogram_nll",
        SMOOTHED,
        "smoothing-not-normalized",
        edit=("levels * alpha", "(levels - 1) * alpha"),
    ),
    Wrong(
        "histogram_nll",
        SMOOTHED,
        "counts-forgotten",
        edit=(SHARES, "((counts > 0) + alpha) / (len(train) + levels * alpha)"),
    ),
    *(
        Wrong("gaussian_nll", BELL, name, edit=(NLL, f"return {to}"))
        for name, to in (
            ("squared-error", "0.5 * (x - mu) ** 2 + 0 * sigma"),
            ("squared-error", "(x - mu) ** 2 + 0 * sigma"),
            ("constant-forgotten", "0.5 * z**2 + torch.log(sigma) + 0.5 * math.log10(2 * math.pi)"),
        )
    ),
    *(
        Wrong("mixture_nll", MIXED, name, edit=(MIXTURE, f"return -torch.logsumexp({to}, dim=-1)"))
        for name, to in (
            ("sigmoid-for-softmax", "F.logsigmoid(logits) + log_densities"),
            ("weights-squared", "2 * F.log_softmax(logits, dim=-1) + log_densities"),
            ("weight-for-log-weight", "F.softmax(logits, dim=-1) * log_densities"),
            ("last-component-lost", "(F.log_softmax(logits, dim=-1) + log_densities)[:, :-1]"),
        )
    ),
    Wrong("dequantize", UNIFORM, "noise-of-another-width", edit=("(x + u)", "(x + 0.9 * u)")),
    Wrong(
        "bits_per_dim",
        BITS,
        "multiplied-by-dims",
        edit=(PRICE, "return nll * dims / math.log(2) + math.log2(levels)"),
    ),
    Wrong(
        "pit",
        BELOW,
        "both-tails",
        edit=(
            SHARE,
            "f = (logits.softmax(-1) * below).sum(-1)\n    return 2 * torch.minimum(f, 1 - f)",
        ),
    ),
    *(
        Wrong(
            "pit",
            BELOW,
            "z-for-probability",
            edit=(
                SHARE,
                "f = (logits.softmax(-1) * below).sum(-1)\n"
                f"    return torch.special.ndtri(f.clamp({small}, 1 - {small}))",
            ),
        )
        for small in (0.0, 1e-6, 1e-7)
    ),
    Wrong(
        "sample",
        OFTEN,
        "std-for-scale",
        edit=(DRAWN, "x = mu[chosen] + scale[chosen] * math.sqrt(3) / math.pi * torch.logit(u)"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "std-for-scale",
        edit=(DRAWN, "x = mu[chosen] + scale[chosen] * math.pi / math.sqrt(3) * torch.logit(u)"),
    ),
)
