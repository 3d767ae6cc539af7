"""Right answers to lesson 02, the chain rule, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "conditionals",
        "from the last factor to the first, np.where on a safe denominator",
        source="""
def conditionals(joint):
    tables, upto = [], joint
    while upto.ndim:
        prefix = upto.sum(axis=-1)
        safe = np.where(prefix == 0, 1, prefix)[..., np.newaxis]
        uniform = np.ones(upto.shape) / upto.shape[-1]
        tables.insert(0, np.where(prefix[..., np.newaxis] == 0, uniform, upto / safe))
        upto = prefix
    return tuple(tables)
""",
    ),
    Right(
        "conditionals",
        "loops over every prefix",
        source="""
import itertools


def conditionals(joint):
    k, n = joint.shape[0], joint.ndim
    tables = []
    for i in range(n):
        table = np.empty((k,) * (i + 1))
        for prefix in itertools.product(range(k), repeat=i):
            row = np.array([joint[prefix + (v,)].sum() for v in range(k)])
            table[prefix] = row / row.sum() if row.sum() > 0 else np.ones(k) / k
        tables.append(table)
    return tables
""",
    ),
    Right(
        "conditionals",
        "divide, then repair what is NaN",
        source="""
def conditionals(joint):
    n = joint.ndim
    tables = []
    for i in range(n):
        up_to = np.einsum(joint, list(range(n)), list(range(i + 1)))
        with np.errstate(invalid="ignore"):
            table = up_to / up_to.sum(-1, keepdims=True)
        table[np.isnan(table)] = 1 / joint.shape[0]
        tables.append(table)
    return tables
""",
    ),
    Right(
        "joint",
        "reshape in place of new axes",
        source="""
def joint(conditionals):
    n = len(conditionals)
    result = np.ones(conditionals[-1].shape)
    for i, factor in enumerate(conditionals):
        result = result * factor.reshape(factor.shape + (1,) * (n - i - 1))
    return result
""",
    ),
    Right(
        "joint",
        "cell by cell",
        source="""
def joint(conditionals):
    p = np.zeros_like(conditionals[-1])
    for word in np.ndindex(*p.shape):
        p[word] = np.prod([t[word[: i + 1]] for i, t in enumerate(conditionals)])
    return p
""",
    ),
    Right(
        "joint",
        "in log space",
        source="""
def joint(conditionals):
    with np.errstate(divide="ignore"):
        logs = np.log(conditionals[0])
        for factor in conditionals[1:]:
            logs = np.expand_dims(logs, -1) + np.log(factor)
    return np.exp(logs)
""",
    ),
    Right(
        "log_likelihood",
        "word by word",
        source="""
import math


def log_likelihood(conditionals, x):
    scores = []
    for word in x.tolist():
        score = 0.0
        for i, factor in enumerate(conditionals):
            p = float(factor[tuple(word[: i + 1])])
            score += math.log(p) if p > 0 else -math.inf
        scores.append(score)
    return np.array(scores)
""",
    ),
    Right(
        "log_likelihood",
        "row of the prefix, then take_along_axis",
        source="""
def log_likelihood(conditionals, x):
    B, n = x.shape
    k = conditionals[0].shape[0]
    code = np.zeros(B, dtype=np.int64)
    picked = []
    for i in range(n):
        rows = conditionals[i].reshape(-1, k)[code]
        picked.append(np.take_along_axis(rows, x[:, i : i + 1], axis=1)[:, 0])
        code = code * k + x[:, i]
    with np.errstate(divide="ignore"):
        return np.log(np.stack(picked)).sum(axis=0)
""",
    ),
    Right(
        "log_likelihood",
        "a list of floats from flat indices",
        source="""
def log_likelihood(conditionals, x):
    with np.errstate(divide="ignore"):
        terms = [
            np.log(f.ravel()[np.ravel_multi_index(x[:, : i + 1].T, f.shape)])
            for i, f in enumerate(conditionals)
        ]
    return sum(terms).tolist()
""",
    ),
    Right(
        "sample",
        "one word, one letter at a time, rng.choice",
        source="""
def sample(conditionals, count, rng):
    words = []
    for _ in range(count):
        word = ()
        for factor in conditionals:
            row = factor[word]
            word += (int(rng.choice(len(row), p=row)),)
        words.append(word)
    return np.array(words)
""",
    ),
    Right(
        "sample",
        "Gumbel's trick",
        source="""
def sample(conditionals, count, rng):
    x = np.empty((count, len(conditionals)), dtype=np.int32)
    for i, factor in enumerate(conditionals):
        with np.errstate(divide="ignore"):
            logits = np.log(factor[tuple(x[:, :i].T)])
        noise = rng.gumbel(size=(count, factor.shape[-1]))
        x[:, i] = (logits + noise).argmax(axis=1)
    return x
""",
    ),
    Right(
        "sample",
        "all uniforms at once, one a step and word",
        source="""
def sample(conditionals, count, rng):
    u = rng.random((len(conditionals), count))
    x = np.zeros((count, len(conditionals)), dtype=int)
    for i, factor in enumerate(conditionals):
        rows = factor[tuple(x[:, j] for j in range(i))]
        sums = np.cumsum(np.broadcast_to(rows, (count, rows.shape[-1])), axis=1)
        x[:, i] = np.argmax(u[i][:, None] * sums[:, -1:] < sums, axis=1)
    return x
""",
    ),
    Right(
        "reorder",
        "axes moved one by one",
        source="""
def reorder(joint, order):
    letters = "abcdefgh"[: joint.ndim]
    moved = np.einsum(f"{letters}->{''.join(letters[v] for v in order)}", joint)
    return conditionals(moved)
""",
    ),
    Right(
        "reorder",
        "by itself, from marginals of the original axes",
        source="""
def reorder(joint, order):
    order = list(order)
    tables = []
    for i in range(len(order)):
        first = order[: i + 1]
        rest = tuple(v for v in range(joint.ndim) if v not in first)
        kept = [v for v in range(joint.ndim) if v in first]
        upto = joint.sum(axis=rest).transpose([kept.index(v) for v in first])
        tables.append(upto / upto.sum(axis=-1, keepdims=True))
    return tables
""",
    ),
    Right(
        "conditional_query",
        "cuts from the last axis down",
        source="""
def conditional_query(joint, evidence):
    for axis in sorted(evidence, reverse=True):
        joint = np.take(joint, evidence[axis], axis=axis)
    total = joint.sum()
    if not total > 0:
        raise ValueError("impossible evidence")
    return joint / total
""",
    ),
    Right(
        "conditional_query",
        "a mask of ones and zeros, summed over the evidence's axes",
        source="""
def conditional_query(joint, evidence):
    grid = np.indices(joint.shape)
    agrees = np.ones(joint.shape, dtype=bool)
    for variable, value in evidence.items():
        agrees &= grid[variable] == value
    kept = np.where(agrees, joint, 0.0)
    if kept.sum() == 0.0:
        raise ValueError(f"p(evidence) = 0 for {evidence}")
    return kept.sum(axis=tuple(evidence)) / kept.sum()
""",
    ),
    Right(
        "sample",
        "one draw from the whole joint",
        source="""
def sample(conditionals, count, rng):
    p = joint(conditionals)
    place = rng.choice(p.size, size=count, p=p.ravel() / p.sum())
    return np.stack(np.unravel_index(place, p.shape), axis=1)
""",
    ),
)
