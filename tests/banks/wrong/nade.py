"""Wrong answers to lesson 04, NADE."""

from tests.banks.bank import Wrong, written

VALUES = "h_i = σ(c + the columns before i, times their bits), logit_i = b_i + V_i h_i"
SEES = "no logit sees its own bit or a later one, and each sees all bits before it"
TRAINS = "training reaches W, c, V and b, and nothing is overwritten"
GROWS = "the work grows like n: twice the bits, twice the operations"
OFTEN = "samples come as often as the model says"
COPIES = "where bits copy earlier ones, so do the samples, whatever the first bit is"
APART = "each example is drawn for itself"
SWEEP = "a sample costs one sweep: twice the bits, twice the operations"
SEED = "all randomness comes from the given generator"
FORM = "the answer holds bits as floats, for any count and n"
WHERE = "D[i, j] is true where turning x_j around can change output i, and nowhere else"
BOTH = "an autoencoder's outputs see everything, a NADE's what comes before"
TRIED = "all 2^n vectors are tried: only so an output can be said not to see an input"
BOOLS = "each entry says whether an output sees an input, and not how much"
STORED = "W, c, V and b are counted, each once"
LINEAR = "linear in n: one more variable brings a column of W, a row of V and a bias"

AT_ONCE = "no step waits for another: twice the bits, and hardly a torch call more"

ALL_SUMS = "(x[:, :, None] * W.T).cumsum(dim=1)"
SHIFTED = "F.pad(sums[:, :-1], (0, 0, 1, 0))"
HIDDEN = "torch.sigmoid(x[:, :i] @ W[:, :i].T + c)"
START = "a, logits = c.expand(len(x), -1), []"
PREDICT = "        logits.append(torch.sigmoid(a) @ V[i] + b[i])\n"
ADD = "        a = a + x[:, i : i + 1] * W[:, i]\n"
DRAW_START = "a, bits = c.expand(count, -1), []"
DRAW_P = "p = torch.sigmoid(torch.sigmoid(a) @ V[i] + b[i])"
DRAWN = "torch.bernoulli(p, generator=generator)"
DRAW_ADD = "a = a + bits[i][:, None] * W[:, i]"
EVERY = "torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * model.n)"
COMPARED = "(model(turned) != before).any(dim=0)"

# Ordinary slips: an exercise, what fails, the name, the edit.
SLIPS = (
    ("nade_naive", VALUES, "first-example-for-all", ("x[:, :i]", "x[:1, :i].expand(len(x), -1)")),
    ("nade_naive", VALUES, "c-added-again", (HIDDEN, HIDDEN.replace("+ c", "+ i * c"))),
    ("nade", VALUES, "column-late", ("* W[:, i]", "* W[:, i - 1]")),
    (
        "nade",
        VALUES,
        "viewed-for-turned",
        ("torch.stack(logits, dim=1)", "torch.stack(logits).reshape(len(x), -1)"),
    ),
    (
        "nade_naive",
        VALUES,
        "viewed-for-turned",
        ("torch.stack(logits, dim=1)", "torch.cat(logits).view(len(x), len(b))"),
    ),
    ("nade", VALUES, "column-early", ("* W[:, i]", "* W[:, (i + 1) % len(b)]")),
    ("nade", VALUES, "b-forgotten-at-first", ("+ b[i]", "+ (b[i] if i else 0)")),
    ("nade_naive", VALUES, "b-forgotten-at-first", ("+ b[i]", "+ (i > 0) * b[i]")),
    (
        "nade",
        VALUES,
        "carried-over-examples",
        (
            (
                START,
                "a, logits = c, []\n    for row in x:\n      for i in range(len(b)):\n"
                "        logits.append(torch.sigmoid(a) @ V[i] + b[i])\n"
                "        a = a + row[i] * W[:, i]\n"
                "    return torch.stack(logits).view(x.shape)",
            ),
        ),
    ),
    (
        "nade_scan",
        VALUES,
        "c-added-again",
        ((ALL_SUMS, "(x[:, :, None] * W.T + c).cumsum(dim=1)"), ("a = c + F.pad", "a = F.pad")),
    ),
    ("sample", OFTEN, "one-row-for-all", (DRAWN, DRAWN.replace("(p,", "(p[0].expand(count),"))),
    (
        "autoencoder_dependencies",
        WHERE,
        "probabilities-compared",
        (COMPARED, "(model(turned).sigmoid() != before.sigmoid()).any(dim=0)"),
    ),
    (
        "autoencoder_dependencies",
        WHERE,
        "compared-with-itself",
        (COMPARED, "(model(turned) - before).mean(0).abs() > 1e-4"),
    ),
)

ANSWERS = (
    # nade_naive
    Wrong(
        "nade_naive",
        SEES,
        "sees-itself",
        edit=(HIDDEN, "torch.sigmoid(x[:, : i + 1] @ W[:, : i + 1].T + c)"),
    ),
    Wrong("nade_naive", SEES, "autoencoder", edit=(HIDDEN, "torch.sigmoid(x @ W.T + c)")),
    Wrong(
        "nade_naive",
        VALUES,
        "one-column-short",
        edit=(HIDDEN, "torch.sigmoid(x[:, : max(i - 1, 0)] @ W[:, : max(i - 1, 0)].T + c)"),
    ),
    Wrong(
        "nade_naive",
        SEES,
        "future-columns",
        edit=(HIDDEN, "torch.sigmoid(x[:, i:] @ W[:, i:].T + c)"),
    ),
    Wrong(
        "nade_naive",
        VALUES,
        "future-columns",
        edit=(HIDDEN, "torch.sigmoid(x[:, i + 1 :] @ W[:, i + 1 :].T + c)"),
    ),
    Wrong("nade_naive", VALUES, "c-forgotten", edit=(".T + c)", ".T)")),
    Wrong("nade_naive", VALUES, "c-forgotten-at-first", edit=(".T + c)", ".T + (c if i else 0))")),
    Wrong("nade_naive", VALUES, "V-row-shared", edit=("V[i]", "V[0]")),
    Wrong("nade_naive", VALUES, "V-row-late", edit=("V[i]", "V[i - 1]")),
    Wrong("nade_naive", VALUES, "sigmoid-forgotten", edit=("torch.sigmoid(x", "(x")),
    Wrong("nade_naive", VALUES, "other-activation", edit=("torch.sigmoid(x", "torch.relu(x")),
    Wrong("nade_naive", VALUES, "other-activation", edit=("torch.sigmoid(x", "torch.tanh(x")),
    Wrong("nade_naive", VALUES, "b-forgotten", edit=(" + b[i]", "")),
    Wrong("nade_naive", VALUES, "b-late", edit=(" + b[i]", " + b[i - 1]")),
    Wrong(
        "nade_naive",
        VALUES,
        "sigmoid-applied",
        edit=("return torch.stack(logits, dim=1)", "return torch.stack(logits, dim=1).sigmoid()"),
    ),
    Wrong("nade_naive", VALUES, "bits-inverted", edit=("(x[:, :i] @", "((1 - x[:, :i]) @")),
    Wrong("nade_naive", VALUES, "V-row-shared", edit=("V[i]", "V[-1]")),
    Wrong("nade_naive", VALUES, "spins-for-bits", edit=("(x[:, :i] @", "((x[:, :i] * 2 - 1) @")),
    Wrong("nade_naive", VALUES, "x-forgotten", edit=("x[:, :i] @", "torch.ones_like(x[:, :i]) @")),
    Wrong(
        "nade_naive",
        VALUES,
        "first-step-empty",
        edit=(HIDDEN, f"({HIDDEN} if i else torch.zeros(len(x), len(c)))"),
    ),
    Wrong("nade_naive", VALUES, "mean-for-sum", edit=(".T + c)", ".T / max(i, 1) + c)")),
    Wrong(
        "nade_naive",
        VALUES,
        "mean-for-sum",
        edit=(HIDDEN, "torch.sigmoid((x[:, :i] @ W[:, :i].T + c) / (i + 1))"),
    ),
    Wrong(  # two at once
        "nade_naive",
        SEES,
        "sees-itself",
        edit=(HIDDEN, "torch.sigmoid(x[:, : i + 1] @ W[:, : i + 1].T)"),
    ),
    Wrong(
        "nade_naive",
        VALUES,
        "b-forgotten",
        edit=((".T + c)", ".T)"), (" + b[i]", "")),
    ),
    Wrong("nade_naive", stops="should have shape", edit=("(logits, dim=1)", "(logits, dim=0)")),
    Wrong("nade_naive", TRAINS, "gradient-cut", edit=("(x[:, :i] @ W[", "(x[:, :i] @ W.data[")),
    Wrong(
        "nade_naive",
        VALUES,
        "slices-count-from-0",
        edit=(HIDDEN, "torch.sigmoid(x[:, : i - 1] @ W[:, : i - 1].T + c)"),
    ),
    Wrong("nade_naive", VALUES, "c-after-sigmoid", edit=(".T + c)", ".T) + c")),
    # nade
    Wrong("nade", SEES, "sees-itself", edit=((PREDICT, ""), (ADD, ADD + PREDICT))),
    Wrong("nade", VALUES, "sees-itself", edit=((PREDICT, ""), (ADD, ADD + PREDICT))),
    Wrong(
        "nade",
        VALUES,
        "c-forgotten",
        edit=(START, "a, logits = torch.zeros(len(x), len(c)), []"),
    ),
    Wrong(
        "nade",
        VALUES,
        "c-forgotten-at-first",
        edit=(
            (START, "a, logits = torch.zeros(len(x), len(c)), []"),
            (ADD, ADD + "        a = a + c if i == 0 else a\n"),
        ),
    ),
    Wrong(
        "nade",
        VALUES,
        "sigmoid-fed-back",
        edit=(
            PREDICT,
            "        a = torch.sigmoid(a)\n        logits.append(a @ V[i] + b[i])\n",
        ),
    ),
    Wrong("nade", VALUES, "V-row-shared", edit=("V[i]", "V[0]")),
    Wrong(
        "nade",
        VALUES,
        "last-column-only",
        edit=(ADD, "        a = c + x[:, i : i + 1] * W[:, i]\n"),
    ),
    Wrong("nade", VALUES, "one-pass", edit=(ADD, "")),
    Wrong(
        "nade",
        VALUES,
        "c-added-again",
        edit=(ADD, "        a = a + F.linear(x[:, i : i + 1], W[:, i : i + 1], c)\n"),
    ),
    Wrong(
        "nade",
        VALUES,
        "mean-for-sum",
        edit=(ADD, "        a = (i * a + x[:, i : i + 1] * W[:, i]) / (i + 1)\n"),
    ),
    Wrong(
        "nade",
        VALUES,
        "probabilities-carried",
        edit=(
            (PREDICT, "        logit = torch.sigmoid(a) @ V[i] + b[i]\n"),
            (ADD, "        logits.append(logit)\n        a = a + logit.sigmoid().outer(W[:, i])\n"),
        ),
    ),
    Wrong("nade", VALUES, "x-forgotten", edit=("x[:, i : i + 1] * W[:, i]", "W[:, i]")),
    *written(
        "nade",
        "nade(x, W, c, V, b)",
        (GROWS, "quadratic", "return nade_naive(x, W, c, V, b)"),
        (
            GROWS,
            "quadratic",
            """
n = len(b)
seen = torch.ones(n, n).tril(-1)  # all steps at once, each with its own copy of x
a = (x[:, None, :] * seen.to(x.dtype)) @ W.T + c
return (torch.sigmoid(a) * V).sum(-1) + b
""",
        ),
    ),
    Wrong(
        "nade",
        GROWS,
        "quadratic",
        edit=(ADD, "        a = c + sum(x[:, j : j + 1] * W[:, j] for j in range(i + 1))\n"),
    ),
    Wrong(  # all rows of V at each step
        "nade",
        GROWS,
        "quadratic",
        edit=("torch.sigmoid(a) @ V[i] + b[i]", "F.linear(torch.sigmoid(a), V, b)[:, i]"),
    ),
    Wrong(
        "nade",
        TRAINS,
        "gradient-cut",
        edit=(ADD, "        a = a + x[:, i : i + 1] * W[:, i].detach()\n"),
    ),
    Wrong("nade", TRAINS, "gradient-cut", edit=("a = a + x", "a = a.detach() + x")),
    Wrong(
        "nade",
        GROWS,
        "not-counted",
        source="""
def nade(x, W, c, V, b):
    import numpy as np

    x, W, c, V, b = (p.detach().numpy() for p in (x, W, c, V, b))
    a, logits = np.repeat(c[None], len(x), axis=0), []
    for i in range(len(b)):
        logits.append((1 / (1 + np.exp(-a))) @ V[i] + b[i])
        a = a + np.outer(x[:, i], W[:, i])
    return torch.from_numpy(np.stack(logits, axis=1))
""",
    ),
    Wrong(
        "nade",
        TRAINS,
        "changed-in-place",
        edit=(
            (START, "a, logits = c[None].repeat(len(x), 1), []"),
            (ADD, ADD + "    with torch.no_grad():\n        W[:, -1] = 0\n"),
        ),
    ),
    # sample
    Wrong("sample", OFTEN, "one-pass", edit=(DRAW_ADD, "pass")),
    Wrong("sample", COPIES, "one-pass", edit=(DRAW_ADD, "pass")),
    Wrong(
        "sample", OFTEN, "probabilities-carried", edit=(DRAW_ADD, "a = a + p[:, None] * W[:, i]")
    ),
    Wrong(
        "sample",
        OFTEN,
        "noise-reused",
        edit=(
            (DRAW_START, f"u = torch.rand(count, generator=generator)\n    {DRAW_START}"),
            (DRAWN, "(u < p).float()"),
        ),
    ),
    Wrong("sample", OFTEN, "bits-inverted", edit=(DRAWN, f"1 - {DRAWN}")),
    Wrong("sample", OFTEN, "x-forgotten", edit=(DRAW_ADD, "a = a + W[:, i]")),
    Wrong(
        "sample",
        OFTEN,
        "sigmoid-fed-back",
        edit=(DRAW_P, "a = torch.sigmoid(a)\n        p = torch.sigmoid(a @ V[i] + b[i])"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "c-forgotten",
        edit=(DRAW_START, "a, bits = torch.zeros(count, len(c)), []"),
    ),
    Wrong("sample", OFTEN, "V-row-shared", edit=("V[i]", "V[0]")),
    Wrong(
        "sample",
        OFTEN,
        "last-column-only",
        edit=(DRAW_ADD, "a = c + bits[i][:, None] * W[:, i]"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "spins-for-bits",
        edit=(DRAWN, "torch.where(torch.rand(count, generator=generator) < p, 1.0, -1.0)"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "spins-for-bits",
        edit=("bits[i][:, None] *", "(2 * bits[i] - 1)[:, None] *"),
    ),
    *written(
        "sample",
        "sample(W, c, V, b, count, generator)",
        (
            OFTEN,
            "fair-coins",
            """
return torch.rand(count, len(b), generator=generator).round()
""",
        ),
        (
            COPIES,
            "same-for-all",
            """
a, bits = c, []
for i in range(len(b)):
    p = torch.sigmoid(torch.sigmoid(a) @ V[i] + b[i])
    bits.append(torch.bernoulli(p, generator=generator))
    a = a + bits[i] * W[:, i]
return torch.stack(bits).expand(count, -1)
""",
        ),
        (
            FORM,
            "not-drawn",
            """
return torch.ones(count, len(b))
""",
        ),
        (
            OFTEN,
            "bit-late",
            """
a, bits, last = c.expand(count, -1), [], torch.zeros(count)
for i in range(len(b)):
    p = torch.sigmoid(torch.sigmoid(a) @ V[i] + b[i])
    bits.append(torch.bernoulli(p, generator=generator))
    a = a + last[:, None] * W[:, i]
    last = bits[i]
return torch.stack(bits, dim=1)
""",
        ),
    ),
    *(
        Wrong(
            "sample",
            APART,
            "samples-that-know-each-other",
            edit=((DRAW_START, f"u = {u}\n    {DRAW_START}"), (DRAWN, "(u[i] < p).float()")),
        )
        for u in (
            "torch.rand(len(b), count, generator=generator)[:, torch.arange(count) // 2]",
            "torch.rand(len(b), -(-count // 2), generator=generator).repeat(1, 2)[:, :count]",
        )
    ),
    Wrong(
        "sample",
        APART,
        "samples-that-know-each-other",
        edit=(
            "return torch.stack(bits, dim=1)",
            "x = torch.stack(bits, dim=1)\n    return x[x[:, 0].argsort()]",
        ),
    ),
    Wrong("sample", OFTEN, "rounded-for-drawn", edit=(DRAWN, "p.round()")),
    Wrong("sample", OFTEN, "probabilities-for-bits", edit=(DRAWN, "p")),
    *written(
        "sample",
        "sample(W, c, V, b, count, generator)",
        (
            SWEEP,
            "quadratic",
            """
x = torch.zeros(count, len(b))
for i in range(len(b)):
    p = torch.sigmoid(nade(x, W, c, V, b)[:, i])
    x[:, i] = torch.bernoulli(p, generator=generator)
return x
""",
        ),
        (
            SWEEP,
            "quadratic",
            """
x = torch.zeros(count, len(b))
for i in range(len(b)):
    h = torch.sigmoid(x[:, :i] @ W[:, :i].T + c)
    x[:, i] = torch.bernoulli(torch.sigmoid(h @ V[i] + b[i]), generator=generator)
return x
""",
        ),
    ),
    Wrong("sample", SEED, "generator-ignored", edit=(", generator=generator", "")),
    Wrong(
        "sample",
        SEED,
        "not-random",
        edit=("generator=generator", "generator=torch.Generator().manual_seed(i)"),
    ),
    Wrong(
        "sample",
        SEED,
        "a-second-source",
        edit=("generator=generator", "generator=generator if i else None"),
    ),
    Wrong(
        "sample",
        SEED,
        "reseeded",
        edit=(DRAW_START, f"generator.manual_seed(1)\n    {DRAW_START}"),
    ),
    Wrong("sample", FORM, "bits-not-floats", edit=("(bits, dim=1)", "(bits, dim=1).long()")),
    # autoencoder_dependencies
    Wrong(
        "autoencoder_dependencies",
        WHERE,
        "transposed",
        edit=("(columns, dim=1)", "(columns, dim=0)"),
    ),
    Wrong(
        "autoencoder_dependencies",
        WHERE,
        "one-vector-only",
        edit=(EVERY, "torch.zeros(1, model.n)"),
    ),
    Wrong(
        "autoencoder_dependencies",
        WHERE,
        "one-vector-only",
        edit=(EVERY, "torch.ones(1, model.n)"),
    ),
    Wrong("autoencoder_dependencies", WHERE, "inverted", edit=(COMPARED, f"~{COMPARED}")),
    Wrong(
        "autoencoder_dependencies",
        WHERE,
        "all-for-any",
        edit=(COMPARED, COMPARED.replace(".any", ".all")),
    ),
    *(
        Wrong(
            "autoencoder_dependencies",
            WHERE,
            "tolerance",
            edit=(COMPARED, f"((model(turned) - before).abs() > {least}).any(dim=0)"),
        )
        for least in (0.001, 0.01, 0.1, 1)
    ),
    Wrong(
        "autoencoder_dependencies",
        WHERE,
        "decisions-compared",
        edit=(COMPARED, "((model(turned) > 0) != (before > 0)).any(dim=0)"),
    ),
    Wrong("autoencoder_dependencies", WHERE, "turned-bits-kept", edit=("every.clone()", "every")),
    Wrong("autoencoder_dependencies", TRIED, "vectors-left-out", edit=(EVERY, f"{EVERY}[:3]")),
    Wrong(
        "autoencoder_dependencies",
        stops="this model takes bits, zeros and ones",
        edit=("1 - turned", "-turned"),
    ),
    Wrong(
        "autoencoder_dependencies",
        WHERE,
        "gradient-only",
        source="""
def autoencoder_dependencies(model):
    x = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * model.n).requires_grad_()
    out = model(x)
    rows = [torch.autograd.grad(out[:, i].sum(), x, retain_graph=True)[0] for i in range(model.n)]
    return torch.stack([(row != 0).any(0) for row in rows])
""",
    ),
    Wrong(
        "autoencoder_dependencies",
        BOTH,
        "diagonal-left-out",
        edit=(
            "return torch.stack(columns, dim=1)",
            "return torch.stack(columns, dim=1) & ~torch.eye(model.n, dtype=torch.bool)",
        ),
    ),
    *written(
        "autoencoder_dependencies",
        "autoencoder_dependencies(model)",
        (BOTH, "model-not-asked", "return torch.ones(model.n, model.n).tril(-1).bool()"),
        (WHERE, "model-not-asked", "return torch.ones(model.n, model.n, dtype=torch.bool)"),
        (
            WHERE,
            "compared-with-itself",
            """
x = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * model.n)
D = torch.zeros(model.n, model.n, dtype=torch.bool)
for j in range(model.n):
    other = x
    other[:, j] = 1 - other[:, j]
    D[:, j] = (model(other) != model(x)).any(0)
return D
""",
        ),
    ),
    Wrong(
        "autoencoder_dependencies",
        BOOLS,
        "amount-for-whether",
        edit=(COMPARED, "(model(turned) - before).abs().sum(dim=0)"),
    ),
    # what knows nothing
    Wrong(
        "autoencoder_dependencies",
        BOOLS,
        source="""
def autoencoder_dependencies(model):
    return torch.ones(model.n, model.n, dtype=torch.bool)
""",
    ),
    Wrong(
        "sample",
        OFTEN,
        "logit-for-probability",
        edit=(
            "torch.sigmoid(torch.sigmoid(a) @ V[i] + b[i])",
            "(torch.sigmoid(a) @ V[i] + b[i]).clamp(0, 1)",
        ),
    ),
    # nade_parameters
    *written(
        "nade_parameters",
        "nade_parameters(n, hidden)",
        (STORED, "forgets-the-biases", "return 2 * n * hidden"),
        (STORED, "forgets-c-or-the-last-column", "return 2 * n * hidden + n"),
        (STORED, "forgets-b", "return 2 * n * hidden + hidden"),
        (LINEAR, "forgets-b", "return hidden * (2 * n + 1)"),
        (STORED, "counts-the-biases-alone", "return sum((hidden, n))"),
        (STORED, "counts-one-matrix", "return n * hidden + hidden + n"),
        (STORED, "biases-twice", "return 2 * (n * hidden + hidden + n)"),
        (STORED, "square-matrix", "return n * n + n * hidden + hidden + n"),
        (STORED, "square-matrix", "return hidden * (hidden + n + 1) + n"),
        (STORED, "counts-an-fvsbn", "return n * (n + 1) // 2"),
        (STORED, "forgets-c-or-the-last-column", "return (2 * n - 1) * hidden + hidden + n"),
        (STORED, "separate-weights-per-step", "return n * n * hidden + n * hidden + hidden + n"),
        (STORED, "separate-biases-per-step", "return 3 * n * hidden + n"),
        (STORED, "one-output-for-all", "return n * hidden + 2 * hidden + n"),
        (STORED, "float-for-an-integer", "return 2.0 * n * hidden + hidden + n"),
        (STORED, "sign-turned", "return -2 * n * hidden - hidden - n"),
        (STORED, "counts-nothing", "return 0 * n * hidden"),
        (STORED, "not-a-count", "return str(2 * n * hidden + hidden + n)"),
    ),
    # nade_scan
    *(
        Wrong("nade_scan", fails, name, edit=edit)
        for fails, name, edit in (
            (SEES, "sees-itself", (SHIFTED, "sums")),
            (VALUES, "sees-itself", (SHIFTED, "sums")),
            (VALUES, "one-column-short", (SHIFTED, "F.pad(sums, (0, 0, 2, 0))[:, : len(b)]")),
            (VALUES, "last-column-only", (".cumsum(dim=1)", "")),
            (VALUES, "autoencoder", (SHIFTED, "sums[:, -1:]")),
            (VALUES, "c-forgotten", ("c + F.pad", "F.pad")),
            (
                VALUES,
                "c-forgotten-at-first",
                (f"c + {SHIFTED}", "F.pad(c + sums[:, :-1], (0, 0, 1, 0))"),
            ),
            (VALUES, "c-added-again", ("W.T).cumsum(dim=1)", "W.T + c).cumsum(dim=1)")),
            (VALUES, "sigmoid-forgotten", ("torch.sigmoid(a)", "a")),
            (VALUES, "b-forgotten", (".sum(dim=2) + b", ".sum(dim=2)")),
            (
                VALUES,
                "x-forgotten",
                ("(x[:, :, None] * W.T)", "(torch.ones_like(x)[:, :, None] * W.T)"),
            ),
            (VALUES, "V-row-shared", ("* V)", "* V[0])")),
            (TRAINS, "gradient-cut", ("W.T)", "W.T.detach())")),
            (
                GROWS,
                "quadratic",
                (ALL_SUMS, "(x[:, None, :] * torch.ones(len(b), len(b)).tril()) @ W.T"),
            ),
            (
                GROWS,
                "quadratic",
                (
                    "(torch.sigmoid(a) * V).sum(dim=2)",
                    "(torch.sigmoid(a) @ V.T).diagonal(dim1=1, dim2=2)",
                ),
            ),
            (VALUES, "rolled", (SHIFTED, "sums.roll(1, dims=1)")),
            (VALUES, "padded-at-the-end", (SHIFTED, SHIFTED.replace("1, 0))", "0, 1))"))),
            (VALUES, "shifted-to-the-wrong-side", (SHIFTED, "F.pad(sums[:, 1:], (0, 0, 0, 1))")),
            (VALUES, "summed-over-hidden-units", (ALL_SUMS, ALL_SUMS.replace("1)", "2)"))),
            (VALUES, "bits-summed-for-columns", (ALL_SUMS, "x.cumsum(dim=1)[..., None] * W.T")),
        )
    ),
    Wrong(
        "nade_scan",
        AT_ONCE,
        "a-loop-over-the-bits",
        source="""
def nade_scan(x, W, c, V, b):
    return nade(x, W, c, V, b)
""",
    ),
    Wrong(
        "nade_scan",
        AT_ONCE,
        "a-loop-over-the-bits",
        edit=(
            ALL_SUMS,
            "torch.stack([x[:, : i + 1] @ W[:, : i + 1].T for i in range(len(b))], dim=1)",
        ),
    ),
    Wrong(  # numbers that are spread over [0, 1), and shuffled
        "sample",
        APART,
        "samples-that-know-each-other",
        edit=(
            "torch.bernoulli(p, generator=generator)",
            "((torch.randperm(count, generator=generator) "
            "+ torch.rand(count, generator=generator)) / count < p).float()",
        ),
    ),
    *(Wrong(exercise, fails, name, edit=edit) for exercise, fails, name, edit in SLIPS),
    # a second round of answers that nobody had foreseen
    Wrong(
        "nade_naive",
        VALUES,
        "future-filled-in",
        source="""
def nade_naive(x, W, c, V, b):
    logits = []
    for i in range(len(b)):
        z = torch.full_like(x, 0.5)
        z[:, :i] = x[:, :i]
        logits.append(torch.sigmoid(z @ W.T + c) @ V[i] + b[i])
    return torch.stack(logits, dim=1)
""",
    ),
    Wrong(
        "nade",
        VALUES,
        "summed-over-the-batch",
        edit=("x[:, i : i + 1] * W[:, i]", "x[:, i].sum() * W[:, i]"),
    ),
    Wrong(
        "nade",
        VALUES,
        "reshaped-for-turned",
        edit=("* W[:, i]", "* W.reshape(W.shape[1], W.shape[0])[i]"),
    ),
    Wrong("nade", VALUES, "c-twice", edit=("torch.sigmoid(a)", "torch.sigmoid(a + c)")),
    Wrong(
        "nade",
        VALUES,
        source="""
def nade(x, W, c, V, b):
    a, logits = c.expand(len(x), -1), []
    for i in range(len(b)):
        logits.append(torch.sigmoid(a) @ V[i] + b[i])
        bits = x[:, i] if len(x) == len(c) else x[:, i : i + 1]
        a = a + bits * W[:, i]
    return torch.stack(logits, dim=1)
""",
    ),
    Wrong(
        "nade",
        TRAINS,
        "changed-in-place",
        source="""
def nade(x, W, c, V, b):
    a, logits = c.detach().view(1, -1) if len(x) == 1 else c.repeat(len(x), 1), []
    for i in range(len(b)):
        logits.append(torch.sigmoid(a) @ V[i] + b[i])
        if len(x) == 1:
            a.add_(x[:, i : i + 1] * W[:, i].detach())
        else:
            a = a + x[:, i : i + 1] * W[:, i]
    return torch.stack(logits, dim=1)
""",
    ),
    Wrong(
        "nade_scan",
        VALUES,
        "moved-along-the-hidden-units",
        edit=(SHIFTED, "F.pad(sums[:, :, :-1], (1, 0))"),
    ),
    Wrong(
        "nade_scan",
        AT_ONCE,
        "a-loop-over-the-examples",
        source="""
def nade_scan(x, W, c, V, b):
    rows = []
    for one in x:
        terms = one[:, None] * W.T
        a = terms.cumsum(dim=0) - terms + c
        rows.append((torch.sigmoid(a) * V).sum(dim=1) + b)
    return torch.stack(rows)
""",
    ),
    Wrong(
        "sample",
        OFTEN,
        "first-bit-a-coin",
        edit=(DRAW_P, DRAW_P + " if i else torch.full((count,), 0.5)"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "changed-in-place",
        edit=(DRAW_START, DRAW_START.replace("c.expand", "c.mul_(0.5).expand")),
    ),
    Wrong(
        "sample",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=(
            (DRAW_START, "a, bits = c.expand(count, -1).contiguous(), []"),
            (DRAW_ADD, "a += bits[i][:, None] * W[:, i]"),
        ),
    ),
    Wrong(
        "autoencoder_dependencies",
        WHERE,
        "changes-averaged",
        source=f"""
def autoencoder_dependencies(model):
    every = {EVERY}
    logits, columns = model(every), []
    for j in range(model.n):
        one, zero = (logits[every[:, j] == bit].mean(dim=0) for bit in (1, 0))
        columns.append((one - zero).abs() > 1e-6)
    return torch.stack(columns, dim=1)
""",
    ),
    *written(
        "nade_parameters",
        "nade_parameters(n, hidden)",
        (STORED, "biases-of-one-size", "return 2 * n * hidden + 2 * n"),
        (STORED, "one-b-for-all", "return 2 * n * hidden + hidden + 1"),
        (STORED, "biases-of-one-size", "return 2 * n * hidden + 2 * hidden"),
    ),
)
