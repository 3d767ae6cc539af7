"""Right answers to lesson 01, the exponential wall, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "table_parameters",
        "a loop",
        source="""
def table_parameters(cardinalities):
    cells = 1
    for k in cardinalities:
        cells *= k
    return cells - 1
""",
    ),
    Right(
        "table_parameters",
        "the chain rule: each variable's rows, one after the other",
        source="""
def table_parameters(cardinalities):
    count = 0
    for k in cardinalities:
        count += (count + 1) * (k - 1)
    return count
""",
    ),
    Right(
        "table_parameters",
        "recursion, one call for each variable",
        source="""
def table_parameters(cardinalities):
    if len(cardinalities) == 0:
        return 0
    *rest, k = cardinalities
    return (table_parameters(rest) + 1) * k - 1
""",
    ),
    Right(
        "table_parameters",
        "reduce, and NumPy's objects",
        source="""
def table_parameters(cardinalities):
    return int(np.prod(np.array([1, *cardinalities], dtype=object))) - 1
""",
    ),
    Right(
        "bits_to_exceed",
        "bit_length",
        source="""
def bits_to_exceed(limit):
    return (limit + 1).bit_length()
""",
    ),
    Right(
        "bits_to_exceed",
        "a table that doubles",
        source="""
def bits_to_exceed(limit):
    count, numbers = 0, 0
    while not numbers > limit:
        count, numbers = count + 1, 2 * numbers + 1
    return count
""",
    ),
    Right(
        "bits_to_exceed",
        "bisection, as a NumPy integer",
        source="""
def bits_to_exceed(limit):
    low, high = 0, 1
    while (1 << high) - 1 <= limit:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if (1 << middle) - 1 > limit else (middle, high)
    return np.int64(high)
""",
    ),
    Right(
        "bayes_net_parameters",
        "a search with colors, recursive",
        source="""
def bayes_net_parameters(cardinalities, parents):
    n = len(cardinalities)
    for i, row in enumerate(parents):
        for j in row:
            if j < 0 or j >= n:
                raise ValueError(f"node {i}: there is no parent {j}")
    state = [0] * n

    def visit(i):
        state[i] = 1
        for j in parents[i]:
            if state[j] == 1:
                raise ValueError(f"node {j} is on a cycle")
            if state[j] == 0:
                visit(j)
        state[i] = 2

    for i in range(n):
        if state[i] == 0:
            visit(i)
    total = 0
    for k, row in zip(cardinalities, parents):
        rows = 1
        for j in row:
            rows *= cardinalities[j]
        total += rows * (k - 1)
    return total
""",
    ),
    Right(
        "bayes_net_parameters",
        "a topological sort from the standard library",
        source="""
import graphlib

def bayes_net_parameters(cardinalities, parents):
    for i, row in enumerate(parents):
        if any(j not in range(len(parents)) for j in row):
            raise ValueError(f"node {i} has a parent that does not exist: {row}")
    graph = {i: set(row) for i, row in enumerate(parents)}
    try:
        list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        raise ValueError(f"there is a cycle through {error.args[1]}") from None
    return sum(
        (cardinalities[i] - 1) * math.prod(cardinalities[j] for j in row)
        for i, row in graph.items()
    )
""",
    ),
    Right(
        "bayes_net_parameters",
        "ancestors by the powers of a matrix",
        source="""
def bayes_net_parameters(cardinalities, parents):
    n = len(cardinalities)
    reach = np.zeros((n, n), dtype=bool)
    for i in range(n):
        for j in parents[i]:
            if not 0 <= j <= n - 1:
                raise ValueError(f"parent {j} of node {i} is not among the {n} nodes")
            reach[i, j] = True
    for k in range(n):
        reach |= np.outer(reach[:, k], reach[k])
    for i in range(n):
        if reach[i, i]:
            raise ValueError(f"node {i} is its own ancestor")
    numbers = 0
    for i in range(n):
        cells = cardinalities[i]
        for j in parents[i]:
            cells *= cardinalities[j]
        numbers += cells - cells // cardinalities[i]
    return numbers
""",
    ),
    Right(
        "fvsbn_parameters",
        "a sum",
        source="""
def fvsbn_parameters(n):
    return sum(range(1, n + 1))
""",
    ),
    Right(
        "fvsbn_parameters",
        "weights and biases apart",
        source="""
def fvsbn_parameters(n):
    return math.comb(n, 2) + n
""",
    ),
    Right(
        "fvsbn_parameters",
        "the entries of a triangle",
        source="""
def fvsbn_parameters(n):
    return len(np.tril_indices(n)[0])
""",
    ),
    Right(
        "bits_to_exceed",
        "a logarithm for the beginning, and whole numbers for the rest",
        source="""
def bits_to_exceed(limit):
    n = int(math.log2(limit + 1))
    while 2**n - 1 <= limit:
        n += 1
    while n > 0 and 2 ** (n - 1) - 1 > limit:
        n -= 1
    return n
""",
    ),
    Right(
        "bayes_net_parameters",
        "who can be reached from whom, as a matrix of bools",
        source="""
def bayes_net_parameters(cardinalities, parents):
    n = len(cardinalities)
    edge = np.zeros((n, n), dtype=bool)
    for child, row in enumerate(parents):
        for j in row:
            if j not in range(n):
                raise ValueError("node %d has the parent %d" % (child, j))
            edge[child, j] = True
    reach = edge.copy()
    for k in range(n):
        reach |= np.outer(reach[:, k], reach[k])
    loops = np.flatnonzero(np.diag(reach))
    if len(loops):
        raise ValueError("node %d is an ancestor of itself" % loops[0])
    total = 0
    for child, row in enumerate(parents):
        free = cardinalities[child] - 1
        for j in row:
            free *= cardinalities[j]
        total += free
    return total
""",
    ),
)
