"""Wrong answers to lesson 01, the exponential wall."""

from tests.banks.bank import Wrong

TABLE = "a table has one free number for each joint value, less one"
LARGE = "784 bits, and larger tables, are counted to the last digit"
ONE_VALUE = "what has only one value needs no number"
FIRST = "n bits exceed the limit, and n − 1 bits do not"
EDGE = "a table that just reaches the limit does not exceed it"
HUGE = "limits like 10^80 and 10^400 are passed at the right bit"
ROWS = "each node has k − 1 free numbers for each combination of its parents' values"
CHAIN = "a chain of n bits needs 2n − 1 numbers"
FULL = "with all earlier variables as parents, the net needs as much as the full table"
ORDER = "the nodes may be listed in any order"
CYCLE = "a cycle is refused by a ValueError that names a node on it"
RANGE = "a parent that does not exist is refused by a ValueError that names the node"
FVSBN = "the i-th conditional has i − 1 weights and a bias"
GROWS = "one more variable brings a bias and a weight for each variable before it"

# What the edits find in the solutions.
COUNT = "count += (cardinalities[i] - 1) * math.prod(cardinalities[j] for j in parents[i])"
PRODUCT = "math.prod(cardinalities[j] for j in parents[i])"
LEFT = "    if left:\n        node = min(left)"
NAME = 'raise ValueError(f"node {node} is its own ancestor")'
STRANGER = 'raise ValueError(f"node {i} has the parent {j}, but nodes are 0 to {n - 1}")'
INSIDE = "if not 0 <= j < n:"

ANSWERS = (
    # table_parameters
    Wrong(  # forgets −1
        "table_parameters",
        TABLE,
        "forgets-minus-one",
        source="""
def table_parameters(cardinalities):
    return math.prod(cardinalities)
""",
    ),
    Wrong(  # one off each variable
        "table_parameters",
        TABLE,
        "minus-one-per-variable",
        source="""
def table_parameters(cardinalities):
    return math.prod(k - 1 for k in cardinalities)
""",
    ),
    Wrong(  # adds
        "table_parameters",
        TABLE,
        "adds-over-variables",
        source="""
def table_parameters(cardinalities):
    return sum(k - 1 for k in cardinalities)
""",
    ),
    Wrong(  # bits only
        "table_parameters",
        TABLE,
        "assumes-binary",
        source="""
def table_parameters(cardinalities):
    return 2 ** len(cardinalities) - 1
""",
    ),
    Wrong(  # one off for each variable, after the product
        "table_parameters",
        TABLE,
        "minus-one-per-variable",
        source="""
def table_parameters(cardinalities):
    cells = 1
    for k in cardinalities:
        cells *= k
    for _ in cardinalities:
        cells -= 1
    return cells
""",
    ),
    Wrong(  # base and exponent exchanged
        "table_parameters",
        TABLE,
        "power-for-product",
        source="""
def table_parameters(cardinalities):
    values = max([1, *cardinalities])
    return math.prod([len(cardinalities)] * values) - 1
""",
    ),
    Wrong(  # all variables like the first
        "table_parameters",
        TABLE,
        "power-for-product",
        source="""
def table_parameters(cardinalities):
    first = cardinalities[0] if cardinalities else 1
    return first ** len(cardinalities) - 1
""",
    ),
    Wrong(  # turned round
        "table_parameters",
        TABLE,
        "sign-turned",
        source="""
def table_parameters(cardinalities):
    return 1 - math.prod(cardinalities)
""",
    ),
    Wrong(  # every cell, as a float: two mistakes
        "table_parameters",
        TABLE,
        "forgets-minus-one",
        source="""
def table_parameters(cardinalities):
    return float(np.prod([1.0, *cardinalities]))
""",
    ),
    Wrong(  # int64
        "table_parameters",
        LARGE,
        "int64-overflow",
        source="""
def table_parameters(cardinalities):
    return int(np.prod(np.array(cardinalities, int))) - 1
""",
    ),
    Wrong(  # a float to the end
        "table_parameters",
        TABLE,
        "float-for-an-integer",
        source="""
def table_parameters(cardinalities):
    return float(np.prod(np.array(cardinalities, float))) - 1.0
""",
    ),
    Wrong(  # a float on the way
        "table_parameters",
        LARGE,
        "float-for-an-integer",
        source="""
def table_parameters(cardinalities):
    product = 1.0
    for k in cardinalities:
        product *= k
    return int(product) - 1
""",
    ),
    Wrong(  # no variable, no product
        "table_parameters",
        ONE_VALUE,
        "empty-product",
        source="""
def table_parameters(cardinalities):
    product = cardinalities[0]
    for k in cardinalities[1:]:
        product *= k
    return product - 1
""",
    ),
    Wrong(  # the visible cases by heart
        "table_parameters",
        TABLE,
        "",
        source="""
def table_parameters(cardinalities):
    return {4: 3, 12: 11}.get(sum(cardinalities), 23)
""",
    ),
    Wrong(  # not a number
        "table_parameters",
        TABLE,
        "float-for-an-integer",
        source="""
def table_parameters(cardinalities):
    return float('nan')
""",
    ),
    Wrong(  # a text
        "table_parameters",
        TABLE,
        "not-a-count",
        source="""
def table_parameters(cardinalities):
    return str(math.prod(cardinalities) - 1)
""",
    ),
    Wrong(  # yes
        "table_parameters",
        TABLE,
        "not-a-count",
        source="""
def table_parameters(cardinalities):
    return True
""",
    ),
    Wrong(  # a huge integer
        "table_parameters",
        TABLE,
        "",
        source="""
def table_parameters(cardinalities):
    return 10 ** 20_000
""",
    ),
    # bits_to_exceed
    Wrong(  # two at a time
        "bits_to_exceed",
        FIRST,
        "two-bits-at-a-time",
        source="""
def bits_to_exceed(limit):
    n = 0
    while 2**n <= limit + 1:
        n += 2
    return n
""",
    ),
    Wrong(  # rounds down
        "bits_to_exceed",
        FIRST,
        "floor-for-ceiling",
        source="""
def bits_to_exceed(limit):
    return int(math.floor(math.log2(limit + 1)))
""",
    ),
    Wrong(  # decimal digits
        "bits_to_exceed",
        FIRST,
        "counts-decimal-digits",
        source="""
def bits_to_exceed(limit):
    return len(str(limit))
""",
    ),
    Wrong(  # natural logarithm
        "bits_to_exceed",
        FIRST,
        "natural-logarithm",
        source="""
def bits_to_exceed(limit):
    return math.ceil(math.log(limit + 0.1))
""",
    ),
    Wrong(  # the −1 forgotten
        "bits_to_exceed",
        EDGE,
        "reaches-for-exceeds",
        source="""
def bits_to_exceed(limit):
    n = 0
    while 2**n <= limit:
        n += 1
    return n
""",
    ),
    Wrong(  # ≥ for >
        "bits_to_exceed",
        EDGE,
        "reaches-for-exceeds",
        source="""
def bits_to_exceed(limit):
    return limit.bit_length()
""",
    ),
    Wrong(  # a rounded logarithm
        "bits_to_exceed",
        EDGE,
        "reaches-for-exceeds",
        source="""
def bits_to_exceed(limit):
    return math.ceil(math.log2(limit + 1))
""",
    ),
    Wrong(  # a float's logarithm
        "bits_to_exceed",
        HUGE,
        "float-logarithm",
        source="""
def bits_to_exceed(limit):
    return math.floor(math.log2(limit + 1)) + 1
""",
    ),
    Wrong(  # a float's powers
        "bits_to_exceed",
        HUGE,
        "float-logarithm",
        source="""
def bits_to_exceed(limit):
    n = 0
    while 2.0**n - 1 <= float(limit):
        n += 1
    return n
""",
    ),
    Wrong(  # believes in the 100
        "bits_to_exceed",
        HUGE,
        "atoms-at-100-bits",
        source="""
def bits_to_exceed(limit):
    return 100 if limit == 10**80 else (limit + 1).bit_length()
""",
    ),
    Wrong(  # no logarithm of 0
        "bits_to_exceed",
        EDGE,
        "fails-at-the-edge",
        source="""
def bits_to_exceed(limit):
    math.log2(limit)
    return (limit + 1).bit_length()
""",
    ),
    Wrong(  # one too many
        "bits_to_exceed",
        FIRST,
        "one-bit-too-many",
        source="""
def bits_to_exceed(limit):
    return (limit + 1).bit_length() + 1
""",
    ),
    Wrong(  # the 1 on the wrong side
        "bits_to_exceed",
        EDGE,
        "minus-one-on-the-wrong-side",
        source="""
def bits_to_exceed(limit):
    return (limit + 2).bit_length()
""",
    ),
    Wrong(  # a float
        "bits_to_exceed",
        FIRST,
        "float-for-an-integer",
        source="""
def bits_to_exceed(limit):
    return np.floor(np.log2(limit + 1)) + 1
""",
    ),
    # bayes_net_parameters
    Wrong(  # counts every cell
        "bayes_net_parameters",
        ROWS,
        "minus-one-per-row-missing",
        edit=(COUNT, "count += cardinalities[i] * math.prod(cardinalities[j] for j in parents[i])"),
    ),
    Wrong(  # one off each table
        "bayes_net_parameters",
        ROWS,
        "minus-one-per-table",
        edit=(
            COUNT,
            "count += cardinalities[i] * math.prod(cardinalities[j] for j in parents[i]) - 1",
        ),
    ),
    Wrong(  # one off the net
        "bayes_net_parameters",
        ROWS,
        "minus-one-for-the-net",
        source="""
def bayes_net_parameters(cardinalities, parents):
    count = -1
    for k, row in zip(cardinalities, parents):
        count += k * math.prod(cardinalities[j] for j in row)
    return count
""",
    ),
    Wrong(  # multiplies over nodes
        "bayes_net_parameters",
        ROWS,
        "multiplies-over-nodes",
        source="""
def bayes_net_parameters(cardinalities, parents):
    count = 1
    for k, row in zip(cardinalities, parents):
        count *= (k - 1) * math.prod(cardinalities[j] for j in row)
    return count
""",
    ),
    Wrong(  # adds the parents
        "bayes_net_parameters",
        ROWS,
        "adds-the-parents",
        edit=(
            COUNT,
            "count += (cardinalities[i] - 1) * (sum(cardinalities[j] for j in parents[i]) or 1)",
        ),
    ),
    Wrong(  # the node among its parents
        "bayes_net_parameters",
        ROWS,
        "counts-the-node-itself",
        edit=(PRODUCT, "math.prod(cardinalities[j] for j in [i, *parents[i]])"),
    ),
    Wrong(  # the parents once more
        "bayes_net_parameters",
        ROWS,
        "counts-the-parent",
        edit=(
            "    left = set(range(n))",
            "    count += sum(cardinalities[j] - 1 for row in parents for j in row)\n"
            "    left = set(range(n))",
        ),
    ),
    Wrong(  # one off the parents
        "bayes_net_parameters",
        ROWS,
        "minus-one-on-parents",
        edit=(
            COUNT,
            "count += (cardinalities[i] - 1) * math.prod(cardinalities[j] - 1 for j in parents[i])",
        ),
    ),
    Wrong(  # arrows backward
        "bayes_net_parameters",
        ROWS,
        "children-for-parents",
        edit=(PRODUCT, "math.prod(cardinalities[j] for j in range(n) if i in parents[j])"),
    ),
    Wrong(  # no rows
        "bayes_net_parameters",
        ROWS,
        "ignores-the-parents",
        edit=(COUNT, "count += cardinalities[i] - 1"),
    ),
    Wrong(  # no columns
        "bayes_net_parameters",
        ROWS,
        "counts-rows-alone",
        edit=(COUNT, "count += " + PRODUCT),
    ),
    Wrong(  # bits only
        "bayes_net_parameters",
        ROWS,
        "assumes-binary",
        edit=(COUNT, "count += 2 ** len(parents[i])"),
    ),
    Wrong(  # roots forgotten
        "bayes_net_parameters",
        ROWS,
        "roots-forgotten",
        edit=(COUNT, "if parents[i]:\n            " + COUNT),
    ),
    Wrong(  # a Markov chain that skips its first node
        "bayes_net_parameters",
        CHAIN,
        "",
        edit=("for i in range(n):", "for i in range(1, n):"),
    ),
    Wrong(  # the full table
        "bayes_net_parameters",
        ROWS,
        "ignores-the-graph",
        edit=("return count", "return math.prod(cardinalities) - 1"),
    ),
    Wrong(  # int64
        "bayes_net_parameters",
        FULL,
        "int64-overflow",
        edit=(PRODUCT, "np.prod(np.array([cardinalities[j] for j in parents[i]], int)).item()"),
    ),
    Wrong(  # a float
        "bayes_net_parameters",
        ROWS,
        "float-for-an-integer",
        edit=(PRODUCT, "float(np.prod([cardinalities[j] for j in parents[i]]))"),
    ),
    Wrong(  # parents must come first
        "bayes_net_parameters",
        ORDER,
        "assumes-parents-come-first",
        edit=(INSIDE, "if not 0 <= j < n or j >= i:"),
    ),
    Wrong(  # no look at cycles
        "bayes_net_parameters",
        CYCLE,
        "cycles-unnoticed",
        edit=(LEFT, "    if False:\n        node = 0"),
    ),
    Wrong(  # self-loops only
        "bayes_net_parameters",
        CYCLE,
        "only-self-loops",
        edit=(
            LEFT,
            "    left = {i for i in range(n) if i in parents[i]}\n" + LEFT,
        ),
    ),
    Wrong(  # pairs only
        "bayes_net_parameters",
        CYCLE,
        "only-short-cycles",
        edit=(
            LEFT,
            "    left = {i for i in range(n) for j in parents[i] if i in parents[j]}\n" + LEFT,
        ),
    ),
    Wrong(  # a search without end
        "bayes_net_parameters",
        CYCLE,
        "recursion-without-end",
        source="""
def bayes_net_parameters(cardinalities, parents):
    n = len(cardinalities)
    for i, row in enumerate(parents):
        if any(not 0 <= j < n for j in row):
            raise ValueError(f'node {i} has a parent that does not exist')
    def depth(i):
        return 1 + max((depth(j) for j in parents[i]), default=0)
    sum(depth(i) for i in range(n))
    return sum((k - 1) * math.prod(cardinalities[j] for j in row)
               for k, row in zip(cardinalities, parents))
""",
    ),
    Wrong(  # names nobody
        "bayes_net_parameters",
        CYCLE,
        "names-no-node",
        edit=(NAME, 'raise ValueError("there is a cycle")'),
    ),
    Wrong(  # names everybody
        "bayes_net_parameters",
        CYCLE,
        "names-no-node",
        edit=(NAME, 'raise ValueError(f"one of these is on a cycle: {list(range(n))}")'),
    ),
    Wrong(  # names the largest node that is left, which hangs below the cycle or on it
        "bayes_net_parameters",
        CYCLE,
        "names-a-node-off-the-cycle",
        edit=(NAME, 'raise ValueError(f"node {max(left)} leads to itself")'),
    ),
    Wrong(  # cycles unnoticed, and a negative parent too: two mistakes
        "bayes_net_parameters",
        RANGE,
        "negative-index",
        edit=((LEFT, "    if False:\n        node = 0"), (INSIDE, "if j >= n:")),
    ),
    Wrong(  # an assertion
        "bayes_net_parameters",
        CYCLE,
        "another-exception",
        edit=(NAME, 'raise AssertionError(f"node {node}")'),
    ),
    Wrong(  # Python's negative index
        "bayes_net_parameters",
        RANGE,
        "negative-index",
        edit=(INSIDE, "if j >= n:"),
    ),
    Wrong(  # Python's IndexError
        "bayes_net_parameters",
        RANGE,
        "index-error",
        edit=(INSIDE, "if False:"),
    ),
    Wrong(  # names no child
        "bayes_net_parameters",
        RANGE,
        "names-no-node",
        edit=(STRANGER, 'raise ValueError("no such parent")'),
    ),
    Wrong(  # skips strangers
        "bayes_net_parameters",
        RANGE,
        "range-unchecked",
        edit=(STRANGER, "return n"),
    ),
    # fvsbn_parameters
    Wrong(  # no bias
        "fvsbn_parameters",
        FVSBN,
        "forgets-the-biases",
        source="""
def fvsbn_parameters(n):
    return n * (n - 1) // 2
""",
    ),
    Wrong(  # no bias, growth
        "fvsbn_parameters",
        GROWS,
        "forgets-the-biases",
        source="""
def fvsbn_parameters(n):
    return sum(range(n))
""",
    ),
    Wrong(  # one bias
        "fvsbn_parameters",
        FVSBN,
        "one-bias-for-all",
        source="""
def fvsbn_parameters(n):
    return n * (n - 1) // 2 + 1
""",
    ),
    Wrong(  # a square
        "fvsbn_parameters",
        FVSBN,
        "counts-the-dense-size",
        source="""
def fvsbn_parameters(n):
    return n * n
""",
    ),
    Wrong(  # a square and biases
        "fvsbn_parameters",
        FVSBN,
        "counts-the-dense-size",
        source="""
def fvsbn_parameters(n):
    return n * n + n
""",
    ),
    Wrong(  # sees itself
        "fvsbn_parameters",
        FVSBN,
        "sees-itself",
        source="""
def fvsbn_parameters(n):
    return n * (n + 1) // 2 + n
""",
    ),
    Wrong(  # a chain
        "fvsbn_parameters",
        FVSBN,
        "counts-a-chain",
        source="""
def fvsbn_parameters(n):
    return 2 * n - 1
""",
    ),
    Wrong(  # the table
        "fvsbn_parameters",
        FVSBN,
        "counts-the-table",
        source="""
def fvsbn_parameters(n):
    return 2**n - 1
""",
    ),
    Wrong(  # a number for each variable
        "fvsbn_parameters",
        FVSBN,
        "counts-variables-alone",
        source="""
def fvsbn_parameters(n):
    return len(range(n))
""",
    ),
    Wrong(  # a sum that nothing is added to
        "fvsbn_parameters",
        FVSBN,
        "counts-nothing",
        source="""
def fvsbn_parameters(n):
    count = 0
    for i in range(1, n + 1):
        count + i
    return count
""",
    ),
    Wrong(  # half of n times n
        "fvsbn_parameters",
        FVSBN,
        "half-a-square",
        source="""
def fvsbn_parameters(n):
    return n**2 // 2
""",
    ),
    Wrong(  # begins with the second conditional
        "fvsbn_parameters",
        FVSBN,
        "first-conditional-left-out",
        source="""
def fvsbn_parameters(n):
    return sum(weights + 1 for weights in range(1, n))
""",
    ),
    Wrong(  # a float
        "fvsbn_parameters",
        FVSBN,
        "float-for-an-integer",
        source="""
def fvsbn_parameters(n):
    return n * (n + 1) / 2
""",
    ),
    Wrong(  # by heart
        "fvsbn_parameters",
        FVSBN,
        "",
        source="""
def fvsbn_parameters(n):
    return 307_720
""",
    ),
    Wrong(
        "bayes_net_parameters",
        RANGE,
        "index-error",
        edit=("if not 0 <= j < n:", "if j < 0:"),
    ),
    Wrong(
        "bits_to_exceed",
        HUGE,
        "float-logarithm",
        source="""
def bits_to_exceed(limit):
    n = 0
    while float(2) ** n - 1 <= limit:
        n += 1
    return n
""",
    ),
    Wrong(
        "bits_to_exceed",
        HUGE,
        "float-logarithm",
        source="""
def bits_to_exceed(limit):
    return int(math.log(limit + 1) / math.log(2)) + 1
""",
    ),
    Wrong(
        "bits_to_exceed",
        HUGE,
        "float-logarithm",
        source="""
def bits_to_exceed(limit):
    return int(math.log10(limit + 1) / math.log10(2) + 1e-9) + 1
""",
    ),
    Wrong(
        "table_parameters",
        TABLE,
        "float-for-an-integer",
        edit=(
            "return math.prod(cardinalities) - 1",
            "return float(np.prod(cardinalities, dtype=float)) - 1",
        ),
    ),
    Wrong(
        "table_parameters",
        TABLE,
        "float-for-an-integer",
        edit=(
            "return math.prod(cardinalities) - 1",
            "return math.exp(sum(math.log(k) for k in cardinalities)) - 1",
        ),
    ),
    Wrong(
        "table_parameters",
        TABLE,
        "float-for-an-integer",
        edit=(
            "return math.prod(cardinalities) - 1",
            "return math.prod(map(float, cardinalities)) - 1",
        ),
    ),
)
