"""Wrong answers to lesson 02, the chain rule."""

from tests.banks.bank import Wrong, written

SHAPE = "factor i is a table over x_1 … x_i"
ROWS = "every row is a distribution, whatever the prefix"
BACK = "the factors multiply back to the joint"
UNIFORM = "after a prefix of probability 0 the row is uniform, and nothing is NaN"
CELLS = "every cell is the product of its n factors"
HOLES = "a joint with impossible words, and one of a single variable, come back as they were"
SCORE = "each word gets the sum of its log-factors, in nats"
FINITE = "the sum is right where the probability itself is too small for a float, too"
IMPOSSIBLE = "an impossible word has log-likelihood −inf, a possible one never, and nothing is NaN"
OFTEN = "8,000 samples are distributed as the joint"
NEVER = "what has probability 0 never comes, and what has probability 1 always does"
ITSELF = "each sample is drawn for itself"
GENERATOR = "all randomness comes from the given generator"
FACTORS = (
    "each factor is a row of probabilities over the order's next variable, given those before it"
)
SAME = "their product, put back in its places, is the same joint"
ONE = "a variable that does not come first may be the evidence"
SEVERAL = "several variables may be the evidence, in whatever order they are listed"
EDGES = "no evidence leaves the joint, full evidence leaves 1, impossible evidence alone is refused"

UPTO = "joint.sum(axis=tuple(range(i + 1, n)))"
DIVIDE = "np.divide(upto, prefix, out=row, where=prefix > 0)"
LOOKUP = "total += np.log(factor[tuple(x[:, : i + 1].T)])"
START = "total = np.zeros(len(x))"
ROWS_OF = "rows = np.broadcast_to(factor[tuple(x.T)], (count, factor.shape[-1]))"
U = "u = rng.random((count, 1)) * sums[:, -1:]"
ADD = "x = np.column_stack([x, (u >= sums).sum(axis=1)])"
LOOP = "for factor in conditionals:"
CUT = "cut = joint[tuple(evidence.get(i, slice(None)) for i in range(joint.ndim))]"
MOVED = "return conditionals(np.transpose(joint, order))"

PRODUCT = "product = product[..., None] * factor"

# Ordinary slips: an exercise, what fails, the name, the edit.
SLIPS = (
    ("conditionals", UNIFORM, "another-number-for-1/k", ("1 / joint.shape[i]", "1 / 3")),
    ("conditionals", BACK, "largest-for-sum", ("joint.sum(axis=t", "joint.max(axis=t")),
    (
        "conditionals",
        BACK,
        "smoothed",
        (UPTO, UPTO + " + 1e-3"),
    ),
    (
        "conditionals",
        BACK,
        "smoothed",
        ("n, tables = joint.ndim", "joint = joint + 0.5\n    n, tables = joint.ndim"),
    ),
    ("conditionals", SHAPE, "last-factor-first", ("return tables", "return tables[::-1]")),
    (
        "joint",
        CELLS,
        "sum-for-product",
        (("np.ones(())", "np.zeros(())"), ("* factor", "+ factor")),
    ),
    (
        "joint",
        CELLS,
        "sum-for-product",
        (
            ("np.ones(())", "np.zeros(())"),
            ("* factor", "+ factor"),
            ("return product", "return product / product.sum()"),
        ),
    ),
    ("joint", CELLS, "constant-added", (PRODUCT, "product = product[..., None] * (factor + 1e-6)")),
    ("joint", CELLS, "constant-added", (PRODUCT, "product = product[..., None] * (factor + 1e-4)")),
    ("joint", CELLS, "first-factor-only", ("    return product", "        return product")),
    ("joint", CELLS, "first-factor-dropped", (LOOP, "for factor in conditionals[1:]:")),
    ("joint", CELLS, "last-factor-first", (LOOP, "for factor in conditionals[::-1]:")),
    ("joint", CELLS, "outer-product", (PRODUCT, "product = np.multiply.outer(product, factor)")),
    (
        "log_likelihood",
        SCORE,
        "prefix-never-updated",
        (LOOKUP, "total += np.log(factor[(0,) * i][x[:, i]])"),
    ),
    ("log_likelihood", SCORE, "first-word-for-all", ("x[:, : i + 1].T", "x[0, : i + 1]")),
    (
        "log_likelihood",
        IMPOSSIBLE,
        "minus-infinity-replaced",
        (LOOKUP, LOOKUP.replace("np.log(", "np.nan_to_num(np.log(") + ")"),
    ),
    (
        "log_likelihood",
        IMPOSSIBLE,
        "minus-infinity-replaced",
        ("return total", "return np.nan_to_num(total, neginf=0.0)"),
    ),
    (
        "log_likelihood",
        IMPOSSIBLE,
        "minus-infinity-replaced",
        ("return total", "return np.nan_to_num(total)"),
    ),
    (
        "log_likelihood",
        IMPOSSIBLE,
        "minus-infinity-replaced",
        (
            LOOKUP,
            "p = factor[tuple(x[:, : i + 1].T)]\n"
            "            total += np.log(np.where(p > 0, p, 1))",
        ),
    ),
    (
        "log_likelihood",
        IMPOSSIBLE,
        "zero-times-minus-infinity",
        (LOOKUP, LOOKUP + " + (0 * np.log(factor)).sum()"),
    ),
    ("sample", OFTEN, "row-of-the-first-word", ("factor[tuple(x.T)]", "factor[tuple(x[0])]")),
    ("reorder", FACTORS, "axes-turned-round", (MOVED, "return conditionals(joint.T)")),
    (
        "reorder",
        FACTORS,
        "axes-in-stored-order",
        (
            MOVED,
            "tables = conditionals(np.transpose(joint, order))\n"
            "    return [t.transpose(np.argsort(order[: t.ndim])) for t in tables]",
        ),
    ),
    (
        "conditional_query",
        SEVERAL,
        "axes-shift",
        (
            CUT,
            "cut = joint\n    for i in sorted(evidence):\n"
            "        cut = np.take(cut, evidence[i], axis=i)",
        ),
    ),
    (
        "conditional_query",
        ONE,
        "none-is-a-new-axis",
        ("evidence.get(i, slice(None))", "evidence.get(i)"),
    ),
    (
        "conditional_query",
        ONE,
        "values-for-keys",
        (CUT, "evidence = {v: i for i, v in evidence.items()}\n    " + CUT),
    ),
    (
        "conditional_query",
        ONE,
        "zeroed-instead-of-cut",
        (
            CUT,
            "where = tuple(evidence.get(i, slice(None)) for i in range(joint.ndim))\n"
            "    cut = np.zeros_like(joint)\n"
            "    cut[where] = joint[where]",
        ),
    ),
    (
        "conditional_query",
        SEVERAL,
        "one-of-the-evidence-only",
        (CUT, "evidence = dict(list(evidence.items())[:1])\n    " + CUT),
    ),
    ("conditional_query", EDGES, "zero-cell-for-impossible", ("mass == 0:", "(cut == 0).any():")),
    ("conditional_query", ONE, "largest-for-sum", ("cut.sum()", "cut.max()")),
    (
        "conditional_query",
        SEVERAL,
        "evidence-taken-for-sorted",
        (
            CUT,
            "cut = joint\n    for cuts, (d, value) in enumerate(evidence.items()):\n"
            "        cut = np.take(cut, value, axis=d - cuts)",
        ),
    ),
    (
        "conditional_query",
        EDGES,
        "another-exception",
        ("raise ValueError(", "raise AssertionError("),
    ),
    ("conditional_query", ONE, "", ("mass == 0:", "mass != 0:")),
)

ANSWERS = (
    *(Wrong(exercise, fails, name, edit=edit) for exercise, fails, name, edit in SLIPS),
    # conditionals
    Wrong(
        "conditionals",
        ROWS,
        "divided-by-the-factor-before",
        edit=(
            "prefix = upto.sum(axis=-1, keepdims=True)",
            "prefix = tables[-1][..., None] if tables else np.ones(1)",
        ),
    ),
    Wrong(
        "conditionals",
        SHAPE,
        "axis-order",
        edit=(UPTO, "joint.sum(axis=tuple(range(i)))"),
    ),
    Wrong(
        "conditionals",
        SHAPE,
        "marginals-for-conditionals",
        edit=(UPTO, "joint.sum(axis=tuple(a for a in range(n) if a != i))"),
    ),
    Wrong("conditionals", SHAPE, "keeps-all-axes", edit=(UPTO, "joint")),
    Wrong(
        "conditionals",
        SHAPE,
        "one-factor-too-few-or-many",
        edit=("for i in range(n):", "for i in range(n - 1):"),
    ),
    Wrong("conditionals", ROWS, "joint-for-conditional", edit=(DIVIDE, "upto")),
    Wrong("conditionals", BACK, "joint-for-conditional", edit=(DIVIDE, "upto")),
    Wrong(
        "conditionals",
        ROWS,
        "wrong-axis",
        edit=("upto.sum(axis=-1, keepdims=True)", "upto.sum(axis=0, keepdims=True)"),
    ),
    Wrong(
        "conditionals",
        ROWS,
        "epsilon-in-the-denominator",
        edit=(DIVIDE, "upto / (prefix + 1e-12)"),
    ),
    Wrong(
        "conditionals",
        UNIFORM,
        "zero-row-after-an-impossible-prefix",
        edit=(DIVIDE, "upto / np.maximum(prefix, 1e-300)"),
    ),
    Wrong(
        "conditionals",
        BACK,
        "axis-order",
        edit=(UPTO, "joint.sum(axis=tuple(range(n - 1 - i)))"),
    ),
    Wrong(
        "conditionals",
        BACK,
        "axis-order",
        edit=("n, tables = joint.ndim, []", "joint = joint.T\n    n, tables = joint.ndim, []"),
    ),
    Wrong(
        "conditionals",
        BACK,
        "marginals-for-conditionals",
        edit=(
            DIVIDE,
            "np.broadcast_to(joint.sum(axis=tuple(a for a in range(n) if a != i)), upto.shape)",
        ),
    ),
    *written(
        "conditionals",
        "conditionals(joint)",
        (
            BACK,
            "only-the-last-letter",
            """
n, tables = joint.ndim, []
for i in range(n):
    pair = joint.sum(axis=tuple(a for a in range(n) if a not in (i - 1, i)))
    rows = pair / pair.sum(axis=-1, keepdims=True)
    tables.append(np.broadcast_to(rows, joint.shape[: i + 1]))
return tables
""",
        ),
        (
            ROWS,
            "wrong-axis",
            """
k, n = len(joint), joint.ndim
tables = []
for i in range(n):
    upto = np.einsum(joint, [*range(n)], [*range(i + 1)]).reshape(-1, k)
    with np.errstate(all="ignore"):
        columns = upto / upto.sum(axis=0)
    tables.append(np.where(np.isnan(columns), 1 / k, columns).reshape((k,) * (i + 1)))
return tables
""",
        ),
        (
            BACK,
            "softmax-of-probabilities",
            """
def softmax(a):
    powers = np.exp(a - a.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)

tables = [softmax(joint)]
while joint.ndim > 1:
    joint = joint.sum(axis=-1)
    tables.insert(0, softmax(joint))
return tables
""",
        ),
    ),
    Wrong(
        "conditionals",
        UNIFORM,
        "nan-after-an-impossible-prefix",
        edit=(DIVIDE, "upto / prefix"),
    ),
    Wrong(
        "conditionals",
        stops="should be a list of n arrays",
        edit=("return tables", "return tables[-1]"),
    ),
    Wrong(
        "conditionals",
        ROWS,
        edit=("return tables", "return [np.full(t.shape, np.nan) for t in tables]"),
    ),
    Wrong(
        "conditionals",
        BACK,
        edit=("return tables", "return [np.full(t.shape, 1 / t.shape[0]) for t in tables]"),
    ),
    Wrong(
        "conditionals",
        ROWS,
        "wrong-axis",
        edit=(
            "upto.sum(axis=-1, keepdims=True)",
            "upto.reshape(-1, upto.shape[-1]).sum(axis=0)",  # p(x_i), lined up with the last axis
        ),
    ),
    Wrong(
        "conditionals",
        SHAPE,
        "one-factor-too-few-or-many",
        edit=("return tables", "return [np.ones(()), *tables]"),
    ),
    Wrong(
        "conditionals",
        SHAPE,
        "one-factor-too-few-or-many",
        edit=("for i in range(n):", "for i in range(1, n):"),
    ),
    Wrong(
        "conditionals",
        SHAPE,  # the same tables whatever the joint is
        edit=(
            "n, tables = joint.ndim, []",
            "joint = np.arange(1.0, joint.size + 1).reshape(joint.shape)\n"
            "    n, tables = joint.ndim, []",
        ),
    ),
    *(
        Wrong("conditionals", UNIFORM, "another-number-for-1/k", edit=("1 / joint.shape[i]", one))
        for one in ("0.5", "1 / n")
    ),
    *written(
        "conditionals",
        "conditionals(p)",
        (
            ROWS,
            "sums-lined-up-wrong",
            """
tables = []
for last in range(p.ndim):
    table = p.sum(axis=tuple(range(last + 1, p.ndim)))
    with np.errstate(all="ignore"):
        table = table / table.sum(axis=-1)
    tables.append(np.where(np.isfinite(table), table, 1 / len(p)))
return tables
""",
        ),
        (
            SHAPE,
            "own-axis-summed-out",
            """
tables = [np.asarray(p.sum())]
for last in range(1, p.ndim):
    table = p.sum(axis=tuple(range(last, p.ndim)))
    mass = table.sum(axis=-1, keepdims=True)
    tables.append(np.where(mass > 0, table / np.where(mass > 0, mass, 1), 1 / len(p)))
return tables
""",
        ),
        (
            BACK,
            "constant-in-every-cell",
            """
upto = [p]
while upto[0].ndim > 1:
    upto.insert(0, upto[0].sum(axis=-1))
upto = [table + 1e-9 for table in upto]
return [table / table.sum(axis=-1, keepdims=True) for table in upto]
""",
        ),
        (
            BACK,
            "rare-for-impossible",
            """
tables = []
for last in range(p.ndim):
    table = p.sum(axis=tuple(range(last + 1, p.ndim)))
    mass = table.sum(axis=-1, keepdims=True)
    empty = np.isclose(mass, 0)
    tables.append(np.where(empty, 1 / len(p), table / np.where(empty, 1, mass)))
return tables
""",
        ),
    ),
    # joint
    Wrong(
        "joint",
        CELLS,
        "trailing-broadcast",
        edit=("product[..., None] * factor", "product * factor"),
    ),
    Wrong("joint", CELLS, "log-for-probability", edit=("return product", "return np.log(product)")),
    Wrong("joint", CELLS, "axis-order", edit=("return product", "return product.T")),
    Wrong("joint", CELLS, "factor-axes-backwards", edit=(PRODUCT, PRODUCT + ".T")),
    Wrong(  # right for two letters, and often for words of a model in which all is determined
        "sample",
        NEVER,
        edit=("factor[tuple(x.T)]", "factor[tuple(x.T[[*range(x.shape[1])][:1] * x.shape[1]])]"),
    ),
    Wrong("joint", CELLS, "last-factor-only", edit=("product[..., None] * factor", "factor")),
    Wrong(
        "joint",
        CELLS,
        "float32",
        edit=("product[..., None] * factor", "(product[..., None] * factor).astype(np.float32)"),
    ),
    Wrong(
        "joint",
        CELLS,
        "sum-for-product",
        edit=("product[..., None] * factor", "product[..., None] + factor"),
    ),
    Wrong(
        "joint",
        HOLES,
        "nan-where-impossible",
        edit=(
            "    return product",
            "    with np.errstate(all='ignore'):\n        return product * (product / product)",
        ),
    ),
    # log_likelihood
    Wrong(
        "log_likelihood", SCORE, "sums-over-the-batch", edit=("return total", "return total.sum()")
    ),
    Wrong(
        "log_likelihood",
        SCORE,
        "averages-over-the-batch",
        edit=("return total", "return -total.mean()"),
    ),
    Wrong(
        "log_likelihood",
        SCORE,
        "sums-over-the-wrong-axis",
        edit=(
            (START, "steps = []"),
            (LOOKUP, "steps.append(np.log(factor[tuple(x[:, : i + 1].T)]))"),
            ("return total", "return np.stack(steps, axis=1).sum(axis=0)"),
        ),
    ),
    Wrong(
        "log_likelihood",
        SCORE,
        "no-sum",
        edit=(
            (START, "steps = []"),
            (LOOKUP, "steps.append(np.log(factor[tuple(x[:, : i + 1].T)]))"),
            ("return total", "return np.stack(steps, axis=1)"),
        ),
    ),
    Wrong(
        "log_likelihood",
        SCORE,
        "mean-over-steps",
        edit=("return total", "return total / len(conditionals)"),
    ),
    Wrong("log_likelihood", SCORE, "sign", edit=("return total", "return -total")),
    Wrong("log_likelihood", SCORE, "bits-for-nats", edit=("np.log(", "np.log2(")),
    Wrong("log_likelihood", SCORE, "no-log", edit=("return total", "return np.exp(total)")),
    Wrong("log_likelihood", SCORE, "last-factor-only", edit=("total += np.log", "total = np.log")),
    Wrong("log_likelihood", SCORE, "axis-order", edit=("x[:, : i + 1].T", "x[:, i::-1].T")),
    Wrong(
        "log_likelihood",
        SCORE,
        "axis-order",
        edit=(
            "factor[tuple(x[:, : i + 1].T)]",
            "factor[(*x[:, :i].T[::-1], x[:, i])]",
        ),
    ),
    Wrong(
        "log_likelihood",
        SCORE,
        "marginals-for-conditionals",
        source="""
def log_likelihood(conditionals, x):
    p = np.ones(())
    for factor in conditionals:
        p = p[..., None] * factor
    n, total = p.ndim, np.zeros(len(x))
    for i in range(n):
        row = p.sum(axis=tuple(a for a in range(n) if a != i))
        total += np.log(row[x[:, i]])
    return total
""",
    ),
    Wrong(
        "log_likelihood",
        SCORE,
        "first-factor-dropped",
        source="""
def log_likelihood(conditionals, x):
    steps = range(1, x.shape[1])
    with np.errstate(divide="ignore"):
        return sum(np.log(conditionals[i][tuple(x[:, : i + 1].T)]) for i in steps)
""",
    ),
    Wrong(
        "log_likelihood",
        SCORE,
        "log-of-the-sum",
        edit=(
            (LOOKUP, "total += factor[tuple(x[:, : i + 1].T)]"),
            ("return total", "return np.log(total)"),
        ),
    ),
    Wrong(
        "log_likelihood",
        SCORE,
        "averages-over-the-batch",
        edit=("return total", "return np.mean(total)"),
    ),
    Wrong(
        "log_likelihood",
        FINITE,
        "product-before-log",
        edit=(
            (START, "total = np.ones(len(x))"),
            (LOOKUP, "total *= factor[tuple(x[:, : i + 1].T)]"),
            ("return total", "return np.log(total)"),
        ),
    ),
    Wrong(
        "log_likelihood",
        FINITE,
        "epsilon-inside-the-log",
        edit=(
            "np.log(factor[tuple(x[:, : i + 1].T)])",
            "np.log(factor[tuple(x[:, : i + 1].T)] + 1e-12)",
        ),
    ),
    Wrong(
        "log_likelihood",
        IMPOSSIBLE,
        "epsilon-inside-the-log",
        edit=(
            "np.log(factor[tuple(x[:, : i + 1].T)])",
            "np.log(np.maximum(factor[tuple(x[:, : i + 1].T)], 1e-300))",
        ),
    ),
    Wrong(
        "log_likelihood",
        IMPOSSIBLE,
        "zero-times-minus-infinity",
        edit=(
            LOOKUP,
            "rows = np.broadcast_to(factor[tuple(x[:, :i].T)], (len(x), factor.shape[-1]))\n"
            "            total += (np.eye(factor.shape[-1])[x[:, i]] * np.log(rows)).sum(axis=1)",
        ),
    ),
    Wrong(  # an array for an index
        "log_likelihood",
        stops="a TUPLE of arrays",
        edit=("factor[tuple(x[:, : i + 1].T)]", "factor[x[:, : i + 1].T]"),
    ),
    # sample
    *written(
        "sample",
        "sample(conditionals, count, rng)",
        (
            OFTEN,
            "samples-from-the-marginals",
            """
p = np.ones(())
for factor in conditionals:
    p = p[..., None] * factor
columns = []
for i in range(p.ndim):
    row = p.sum(axis=tuple(a for a in range(p.ndim) if a != i))
    columns.append(rng.choice(len(row), size=count, p=row))
return np.stack(columns, axis=1)
""",
        ),
        (
            OFTEN,
            "samples-from-the-last-axis",
            """
p = np.ones(())
for factor in conditionals:
    p = p[..., None] * factor
row = p.reshape(-1, p.shape[-1]).sum(axis=0)
return rng.choice(len(row), size=(count, p.ndim), p=row)
""",
        ),
        (
            OFTEN,
            "too-even",
            """
p = np.ones(())
for factor in conditionals:
    p = p[..., None] * factor
sums = p.ravel().cumsum()
u = (rng.permutation(count) + 0.5) / count * sums[-1]
return np.stack(np.unravel_index(np.searchsorted(sums, u), p.shape), axis=1)
""",
        ),
        (
            OFTEN,
            "one-letter-further",
            """
found = []
for _ in range(count):
    word = []
    for factor in conditionals:
        row = factor[tuple(word)]
        word.append((rng.choice(len(row), p=row) + 1) % len(row))
    found.append(word)
return np.array(found)
""",
        ),
    ),
    Wrong(
        "sample",
        OFTEN,
        "one-uniform-for-all-steps",
        edit=(
            (LOOP, "once = rng.random((count, 1))\n    " + LOOP),
            (U, "u = once"),
            (ADD, "x = np.column_stack([x, (u >= sums).sum(axis=1).clip(max=len(sums[0]) - 1)])"),
        ),
    ),
    Wrong(
        "sample",
        OFTEN,
        "prefix-never-updated",
        edit=("factor[tuple(x.T)]", "factor[tuple(0 * x.T)]"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "last-row",
        edit=("factor[tuple(x.T)]", "factor.reshape(-1, factor.shape[-1])[-1]"),
    ),
    Wrong(
        "sample",
        NEVER,
        "prefix-ignored",
        edit=(
            "factor[tuple(x.T)]",
            "factor.reshape(-1, factor.shape[-1])[factor.size // factor.shape[-1] // 2]",
        ),
    ),
    Wrong("sample", OFTEN, "axis-order", edit=("return x", "return x[:, ::-1]")),
    Wrong(
        "sample", OFTEN, "prefix-backwards", edit=("factor[tuple(x.T)]", "factor[tuple(x.T[::-1])]")
    ),
    Wrong(
        "sample",
        OFTEN,
        "uniform",
        edit=(ADD, "x = np.column_stack([x, rng.integers(0, factor.shape[-1], size=count)])"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "greedy",
        edit=(ADD, "x = np.column_stack([x, rows.argmax(axis=1)])"),
    ),
    Wrong(
        "sample",
        OFTEN,
        "one-draw-for-the-whole-batch",
        edit=("rng.random((count, 1))", "rng.random()"),
    ),
    *(
        Wrong("sample", ITSELF, "samples-that-know-each-other", edit=edit)
        for edit in (
            ("return x", "return np.repeat(x[: (count + 1) // 2], 2, axis=0)[:count]"),
            ("return x", "return np.resize(x[: (count + 1) // 2], x.shape)"),
            ("return x", "return x[np.lexsort(x.T)]"),
            (
                "u = rng.random((count, 1))",  # antithetic pairs
                "half = rng.random(((count + 1) // 2, 1))\n"
                "        u = np.hstack([half, 1 - half]).reshape(-1, 1)[:count]",
            ),
            (
                "u = rng.random((count, 1))",  # antithetic halves
                "half = rng.random(((count + 1) // 2, 1))\n"
                "        u = np.concatenate([half, 1 - half])[:count]",
            ),
        )
    ),
    Wrong(
        "sample",
        NEVER,
        "impossible-first-letter",
        edit=(
            ADD,
            "x = np.column_stack([x, (u >= sums - rows).sum(axis=1).clip(max=len(rows[0]) - 1)])",
        ),
    ),
    Wrong(
        "sample",
        GENERATOR,
        "not-random",
        edit=(LOOP, "rng = np.random.default_rng(0)\n    " + LOOP),
    ),
    Wrong("sample", GENERATOR, "generator-ignored", edit=("rng.random(", "np.random.random(")),
    Wrong(
        "sample",
        GENERATOR,
        "reseeded",
        edit=(
            LOOP,
            "rng.bit_generator.state = np.random.default_rng("
            "rng.bit_generator.seed_seq).bit_generator.state\n    " + LOOP,
        ),
    ),
    Wrong(
        "sample",
        GENERATOR,
        "a-second-source",
        edit=(U, "u = (rng.random((count, 1)) + np.random.random((count, 1))) % 1 * sums[:, -1:]"),
    ),
    Wrong(
        "sample",
        stops="should hold integers",
        edit=("return x", "return x.astype(float)"),
    ),
    Wrong("sample", stops="should have shape", edit=("return x", "return x.T")),
    # reorder
    Wrong(
        "conditionals",
        ROWS,
        "zero-cells-uniform",
        source="""
def conditionals(joint):
    k, tables, upto = joint.shape[0], [], joint
    while upto.ndim:
        mass = upto.sum(-1, keepdims=True)
        tables.append(np.where(upto > 0, upto / np.where(mass > 0, mass, 1), 1 / k))
        upto = mass[..., 0]
    return tables[::-1]
""",
    ),
    Wrong("reorder", FACTORS, "order-ignored", edit=(MOVED, "return conditionals(joint)")),
    Wrong("reorder", SAME, "order-ignored", edit=(MOVED, "return conditionals(joint)")),
    Wrong(
        "reorder",
        FACTORS,
        "inverse-order",
        edit=(MOVED, "return conditionals(np.transpose(joint, np.argsort(order)))"),
    ),
    Wrong(
        "reorder",
        FACTORS,
        "order-backwards",
        edit=(MOVED, "return conditionals(np.transpose(joint, list(order)[::-1]))"),
    ),
    Wrong(
        "reorder",
        FACTORS,
        "factors-shuffled",
        edit=(MOVED, "return [conditionals(joint)[v] for v in order]"),
    ),
    Wrong("reorder", FACTORS, "not-factored", edit=(MOVED, "return np.transpose(joint, order)")),
    Wrong(
        "reorder",
        SAME,
        "joint-for-conditional",
        edit=(
            MOVED,
            "p = np.transpose(joint, order)\n"
            "    return [p.sum(axis=tuple(range(i + 1, p.ndim))) for i in range(p.ndim)]",
        ),
    ),
    # conditional_query
    Wrong("conditional_query", ONE, "not-renormalized", edit=("cut / mass", "cut")),
    Wrong("conditional_query", SEVERAL, "not-renormalized", edit=("cut / mass", "cut")),
    Wrong(
        "conditional_query",
        ONE,
        "evidence-ignored",
        edit=(CUT, "cut = joint.sum(axis=tuple(evidence))"),
    ),
    Wrong(
        "conditional_query",
        ONE,
        "zero-taken-for-nothing",
        edit=(CUT, CUT.replace("evidence.get(i, slice(None))", "evidence.get(i) or slice(None)")),
    ),
    Wrong(
        "conditional_query",
        ONE,
        "evidence-as-prefix",
        edit=(CUT, "cut = joint[tuple(evidence.values())]"),
    ),
    Wrong(
        "conditional_query",
        SEVERAL,
        "axes-shift",
        edit=(
            CUT,
            "cut = joint\n    for i, value in evidence.items():\n"
            "        cut = np.take(cut, value, axis=i)",
        ),
    ),
    Wrong(
        "conditional_query",
        ONE,
        "keeps-the-evidence-axes",
        edit=(
            "evidence.get(i, slice(None))",
            "slice(evidence[i], evidence[i] + 1) if i in evidence else slice(None)",
        ),
    ),
    Wrong(
        "conditional_query",
        ONE,
        "wrong-axis",
        edit=("cut / mass", "cut / cut.sum(axis=-1, keepdims=True)"),
    ),
    Wrong("conditional_query", ONE, "axis-order", edit=("cut / mass", "(cut / mass).T")),
    Wrong(
        "conditional_query",
        EDGES,
        "nan-for-impossible-evidence",
        edit=("if mass == 0:", "if False:"),
    ),
    Wrong(
        "conditional_query",
        EDGES,
        "impossible-evidence-answered",
        edit=(
            'raise ValueError(f"the evidence {evidence} has probability 0")',
            "return np.full(cut.shape, 1 / cut.size)",
        ),
    ),
    Wrong(
        "conditional_query",
        EDGES,
        "impossible-evidence-answered",
        edit=('raise ValueError(f"the evidence {evidence} has probability 0")', "return cut"),
    ),
    Wrong(
        "conditional_query", EDGES, "rare-evidence-refused", edit=("mass == 0:", "mass < 1e-12:")
    ),
    Wrong(
        "conditional_query",
        EDGES,  # another exception than the one that is asked for
        edit=("raise ValueError(", "raise KeyError("),
    ),
    # what knows nothing
    Wrong(
        "conditionals",
        "every row is a distribution, whatever the prefix",
        "uniform-rows",
        source="""
def conditionals(p):
    p = np.asarray(p)
    return [np.full(p.shape[: i + 1], 1 / p.shape[i]) for i in range(p.ndim)]
""",
    ),
    Wrong(  # numbers that are spread over [0, 1), and shuffled
        "sample",
        ITSELF,
        "samples-that-know-each-other",
        edit=(
            "rng.random((count, 1))",
            "(rng.permutation(count) + rng.random(count))[:, None] / count",
        ),
    ),
    # a second round of answers that nobody had foreseen
    Wrong(
        "conditionals",
        UNIFORM,
        "another-number-for-1/k",
        edit=("1 / joint.shape[i]", "1 / upto.size"),
    ),
    *written(
        "joint",
        "joint(conditionals)",
        (
            CELLS,
            "first-factor-dropped",
            """
product = np.ones(conditionals[0].shape)
for factor in conditionals[1:]:
    product = product[..., None] * factor
return product / product.sum()
""",
        ),
        (
            CELLS,
            "rows-averaged",
            """
product = np.ones(())
for factor in conditionals:
    row = factor.reshape(-1, factor.shape[-1]).mean(axis=0)
    product = np.multiply.outer(product, row)
return product
""",
        ),
        (
            HOLES,
            "factor-clipped",
            """
total, n = 0.0, len(conditionals)
for i, factor in enumerate(conditionals):
    logs = np.log(np.clip(factor, 1e-9, None))
    total = total + logs.reshape(logs.shape + (1,) * (n - i - 1))
return np.exp(total)
""",
        ),
        (
            CELLS,
            "half-precision",
            """
product = np.ones((), dtype=np.float16)
for factor in conditionals:
    product = (product[..., None] * factor).astype(np.float16)
return product
""",
        ),
    ),
    Wrong("log_likelihood", SCORE, "squeezed", edit=("return total", "return np.squeeze(total)")),
    *written(
        "sample",
        "sample(conditionals, count, rng)",
        (
            OFTEN,
            "only-the-last-letter",
            """
table, x = joint(conditionals), np.zeros((count, len(conditionals)), dtype=int)
for i in range(table.ndim):
    pair = table.sum(axis=tuple(a for a in range(table.ndim) if a not in (i - 1, i)))
    for word in x:
        row = pair[word[i - 1]] if i else pair
        word[i] = rng.choice(len(row), p=row / row.sum())
return x
""",
        ),
        (
            OFTEN,
            "last-letter-after-zeros",
            """
k, x = len(conditionals[0]), np.zeros((count, len(conditionals)), dtype=int)
for word in x:
    for i, factor in enumerate(conditionals):
        rows = factor.reshape(-1, k, k)[0] if i else factor
        word[i] = rng.choice(k, p=rows[word[i - 1]] if i else rows)
return x
""",
        ),
        (
            OFTEN,
            "rows-averaged",
            """
x = np.zeros((count, 0), dtype=int)
for factor in conditionals:
    sums = factor.reshape(-1, factor.shape[-1]).mean(axis=0).cumsum()
    letters = np.searchsorted(sums, rng.random(count) * sums[-1], side="right")
    x = np.column_stack([x, letters])
return x
""",
        ),
    ),
    *written(
        "reorder",
        "reorder(joint, order)",
        (
            FACTORS,
            "only-the-begin-of-the-order",
            """
n, first = joint.ndim, order[0]
return conditionals(np.transpose(joint, [(first + i) % n for i in range(n)]))
""",
        ),
        (
            FACTORS,
            "axes-moved-in-turn",
            """
for i, v in enumerate(order):
    joint = np.swapaxes(joint, i, v)
return conditionals(joint)
""",
        ),
        (
            FACTORS,
            "axes-moved-in-turn",
            """
for i, v in enumerate(order):
    joint = np.moveaxis(joint, v, i)
return conditionals(joint)
""",
        ),
        (
            FACTORS,
            "marginals-for-conditionals",
            """
return [joint.sum(axis=tuple(j for j in range(joint.ndim) if j != v)) for v in order]
""",
        ),
    ),
    *written(
        "conditional_query",
        "conditional_query(joint, evidence)",
        (
            ONE,
            "evidence-heard-only-afterwards",
            """
word = [evidence.get(i, slice(None)) for i in range(joint.ndim)]
if joint[tuple(word)].sum() == 0:
    raise ValueError("the evidence has probability 0")
product = np.ones(())
for i, factor in enumerate(conditionals(joint)):
    if i not in evidence:
        product = product[..., None] * factor[tuple(word[:i])]
return product
""",
        ),
    ),
)
