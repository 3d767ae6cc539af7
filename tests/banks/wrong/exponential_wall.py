"""Wrong answers to lesson 01, the exponential wall."""

from tests.banks.bank import Wrong, written

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
    *written(
        "table_parameters",
        "table_parameters(cardinalities)",
        (TABLE, "forgets-minus-one", "return math.prod(cardinalities)"),
        (TABLE, "minus-one-per-variable", "return math.prod(k - 1 for k in cardinalities)"),
        (TABLE, "adds-over-variables", "return sum(k - 1 for k in cardinalities)"),
        (TABLE, "assumes-binary", "return 2 ** len(cardinalities) - 1"),
        (
            TABLE,
            "minus-one-per-variable",
            """
cells = 1
for k in cardinalities:
    cells *= k
for _ in cardinalities:
    cells -= 1
return cells
""",
        ),
        (
            TABLE,
            "power-for-product",
            """
values = max([1, *cardinalities])
return math.prod([len(cardinalities)] * values) - 1
""",
        ),
        (
            TABLE,
            "power-for-product",
            """
first = cardinalities[0] if cardinalities else 1
return first ** len(cardinalities) - 1
""",
        ),
        (TABLE, "sign-turned", "return 1 - math.prod(cardinalities)"),
        (TABLE, "forgets-minus-one", "return float(np.prod([1.0, *cardinalities]))"),
        (LARGE, "int64-overflow", "return int(np.prod(np.array(cardinalities, int))) - 1"),
        (
            TABLE,
            "float-for-an-integer",
            """
return float(np.prod(np.array(cardinalities, float))) - 1.0
""",
        ),
        (
            LARGE,
            "float-for-an-integer",
            """
product = 1.0
for k in cardinalities:
    product *= k
return int(product) - 1
""",
        ),
        (
            ONE_VALUE,
            "empty-product",
            """
product = cardinalities[0]
for k in cardinalities[1:]:
    product *= k
return product - 1
""",
        ),
        (TABLE, "", "return {4: 3, 12: 11}.get(sum(cardinalities), 23)"),
        (TABLE, "float-for-an-integer", "return float('nan')"),
        (TABLE, "not-a-count", "return str(math.prod(cardinalities) - 1)"),
        (TABLE, "not-a-count", "return True"),
        (TABLE, "", "return 10 ** 20_000"),
        (
            TABLE,
            "one-conditional-only",
            "*rest, k = cardinalities or [1]\nreturn math.prod(rest) * (k - 1)",
        ),
        (
            TABLE,
            "one-conditional-only",
            "k, *rest = cardinalities or [1]\nreturn math.prod(rest) * (k - 1)",
        ),
        (
            TABLE,
            "product-begins-with-0",
            """
cells = 0
for k in cardinalities:
    cells *= k
return cells - 1
""",
        ),
        (
            TABLE,
            "first-variable-only",
            """
cells = 1
for k in cardinalities:
    cells *= k
    return cells - 1
return 0
""",
        ),
        (
            ONE_VALUE,
            "empty-product",
            """
cells = 0
for k in cardinalities:
    cells = cells * k if cells else k
return cells - 1
""",
        ),
    ),
    # bits_to_exceed
    Wrong(
        "bits_to_exceed",
        EDGE,
        "reaches-for-exceeds",
        source="def bits_to_exceed(limit):\n    return len(bin(limit)) - 2",
    ),
    *written(
        "bits_to_exceed",
        "bits_to_exceed(limit)",
        (
            FIRST,
            "two-bits-at-a-time",
            """
n = 0
while 2**n <= limit + 1:
    n += 2
return n
""",
        ),
        (FIRST, "floor-for-ceiling", "return int(math.floor(math.log2(limit + 1)))"),
        (FIRST, "counts-decimal-digits", "return len(str(limit))"),
        (FIRST, "natural-logarithm", "return math.ceil(math.log(limit + 0.1))"),
        (
            EDGE,
            "reaches-for-exceeds",
            """
n = 0
while 2**n <= limit:
    n += 1
return n
""",
        ),
        (EDGE, "reaches-for-exceeds", "return limit.bit_length()"),
        (EDGE, "reaches-for-exceeds", "return math.ceil(math.log2(limit + 1))"),
        (HUGE, "float-logarithm", "return math.floor(math.log2(limit + 1)) + 1"),
        (
            HUGE,
            "float-logarithm",
            """
n = 0
while 2.0**n - 1 <= float(limit):
    n += 1
return n
""",
        ),
        (HUGE, "atoms-at-100-bits", "return 100 if limit == 10**80 else (limit + 1).bit_length()"),
        (
            EDGE,
            "fails-at-the-edge",
            """
math.log2(limit)
return (limit + 1).bit_length()
""",
        ),
        (
            FIRST,
            "table-for-its-bits",
            """
n = 0
while 2**n - 1 <= limit:
    n += 1
return 2**n - 1
""",
        ),
        (FIRST, "one-bit-too-many", "return (limit + 1).bit_length() + 1"),
        (
            EDGE,
            "halved-as-a-float",
            """
n = 0
while limit >= 1:
    limit = limit / 2
    n += 1
return n
""",
        ),
        (EDGE, "minus-one-on-the-wrong-side", "return (limit + 2).bit_length()"),
        (FIRST, "float-for-an-integer", "return np.floor(np.log2(limit + 1)) + 1"),
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
    *written(
        "bayes_net_parameters",
        "bayes_net_parameters(cardinalities, parents)",
        (
            ROWS,
            "minus-one-for-the-net",
            """
count = -1
for k, row in zip(cardinalities, parents):
    count += k * math.prod(cardinalities[j] for j in row)
return count
""",
        ),
        (
            ROWS,
            "multiplies-over-nodes",
            """
count = 1
for k, row in zip(cardinalities, parents):
    count *= (k - 1) * math.prod(cardinalities[j] for j in row)
return count
""",
        ),
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
    Wrong(  # parents that are bits
        "bayes_net_parameters",
        ROWS,
        "assumes-binary-parents",
        edit=(COUNT, "count += (cardinalities[i] - 1) * 2 ** len(parents[i])"),
    ),
    Wrong(  # one parent's rows
        "bayes_net_parameters",
        ROWS,
        "one-parent-only",
        edit=(
            COUNT,
            "rows = 1\n        for j in parents[i]:\n            rows = cardinalities[j]\n"
            "        count += (cardinalities[i] - 1) * rows",
        ),
    ),
    Wrong(  # rows of all nodes so far
        "bayes_net_parameters",
        ROWS,
        "rows-not-begun-anew",
        edit=(
            ("n, count = len(cardinalities), 0", "n, count, rows = len(cardinalities), 0, 1"),
            (COUNT, f"rows *= {PRODUCT}\n        count += (cardinalities[i] - 1) * rows"),
        ),
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
    Wrong("bayes_net_parameters", ROWS, "last-node-only", edit=("count += (", "count = (")),
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
    Wrong(  # looks upwards from node 0 alone
        "bayes_net_parameters",
        CYCLE,
        "cycles-unnoticed",
        edit=(
            LEFT,
            "    seen, front = set(), {0}\n"
            "    while front:\n"
            "        seen |= front\n"
            "        front = {j for i in front for j in parents[i]} - seen\n"
            "    left = left & seen\n" + LEFT,
        ),
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
    Wrong(  # an ancestor met twice is called a cycle
        "bayes_net_parameters",
        ROWS,
        "two-ways-are-no-cycle",
        edit=(
            "    left = set(range(n))",
            "    for start in range(n):\n"
            "        seen, up = set(), [start]\n"
            "        while up:\n"
            "            i = up.pop()\n"
            "            if i in seen:\n"
            "                raise ValueError(f'cycle at {i}')\n"
            "            seen.add(i)\n"
            "            up += parents[i]\n"
            "    left = set(range(n))",
        ),
    ),
    Wrong(  # a walk up that knows first parents only: it notices some cycles of every size
        "bayes_net_parameters",
        CYCLE,
        "cycles-unnoticed",
        edit=(
            LEFT,
            "    left = set()\n"
            "    for i in range(n):\n"
            "        up = i\n"
            "        for _ in range(n):\n"
            "            up = parents[up][0] if parents[up] else up\n"
            "            if up == i and parents[i]:\n"
            "                raise ValueError(f'node {i} is its own ancestor')\n" + LEFT,
        ),
    ),
    Wrong(  # nodes named from 1
        "bayes_net_parameters",
        RANGE,
        "names-the-next-node",
        edit=(
            (NAME, 'raise ValueError(f"node {node + 1} is its own ancestor")'),
            (STRANGER, 'raise ValueError(f"node {i + 1} has a parent that does not exist")'),
        ),
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
    *written(
        "fvsbn_parameters",
        "fvsbn_parameters(n)",
        (FVSBN, "forgets-the-biases", "return n * (n - 1) // 2"),
        (GROWS, "forgets-the-biases", "return sum(range(n))"),
        (FVSBN, "one-bias-for-all", "return n * (n - 1) // 2 + 1"),
        (FVSBN, "counts-the-dense-size", "return n * n"),
        (FVSBN, "counts-the-dense-size", "return n * n + n"),
        (FVSBN, "sees-itself", "return n * (n + 1) // 2 + n"),
        (FVSBN, "counts-a-chain", "return 2 * n - 1"),
        (FVSBN, "counts-the-table", "return 2**n - 1"),
        (FVSBN, "counts-variables-alone", "return len(range(n))"),
        (
            FVSBN,
            "counts-nothing",
            """
count = 0
for i in range(1, n + 1):
    count + i
return count
""",
        ),
        (FVSBN, "half-a-square", "return n**2 // 2"),
        (FVSBN, "first-conditional-left-out", "return sum(weights + 1 for weights in range(1, n))"),
        (FVSBN, "float-for-an-integer", "return n * (n + 1) / 2"),
        (FVSBN, "", "return 307_720"),
    ),
    Wrong(
        "bayes_net_parameters",
        RANGE,
        "index-error",
        edit=("if not 0 <= j < n:", "if j < 0:"),
    ),
    *written(
        "bits_to_exceed",
        "bits_to_exceed(limit)",
        (
            HUGE,
            "float-logarithm",
            """
n = 0
while float(2) ** n - 1 <= limit:
    n += 1
return n
""",
        ),
        (HUGE, "float-logarithm", "return int(math.log(limit + 1) / math.log(2)) + 1"),
        (HUGE, "float-logarithm", "return int(math.log10(limit + 1) / math.log10(2) + 1e-9) + 1"),
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
    Wrong(
        "table_parameters",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=(
            "return math.prod(cardinalities) - 1",
            "total = 1\n    while cardinalities:\n        total *= cardinalities.pop()\n"
            "    return total - 1",
        ),
    ),
    # a second round of answers that nobody had foreseen
    *written(
        "table_parameters",
        "table_parameters(cardinalities)",
        (
            LARGE,
            "product-by-logarithms",
            "return int(2 ** sum(math.log2(k) for k in cardinalities)) - 1",
        ),
        (
            LARGE,
            "product-by-logarithms",
            "return int(math.exp(sum(map(math.log, cardinalities)))) - 1",
        ),
        (
            LARGE,
            "product-by-logarithms",
            "return round(math.exp(sum(map(math.log, cardinalities)))) - 1",
        ),
        (TABLE, "equal-ones-counted-once", "return math.prod(set(cardinalities)) - 1"),
        (
            TABLE,
            "cells-of-the-conditionals",
            """
total, rows = 0, 1
for k in cardinalities:
    total += rows * k
    rows *= k
return total
""",
        ),
        (ONE_VALUE, "never-nothing", "return max(math.prod(cardinalities) - 1, 1)"),
        (
            LARGE,
            "int64-overflow",
            """
total = np.uint64(1)
with np.errstate(over="ignore"):
    for k in cardinalities:
        total = total * np.uint64(k)
return int(total) - 1
""",
        ),
    ),
    Wrong(
        "bits_to_exceed",
        EDGE,
        "logarithm-at-a-power",
        source="""
from decimal import Decimal


def bits_to_exceed(limit):
    return int(Decimal(limit + 1).ln() / Decimal(2).ln()) + 1
""",
    ),
    Wrong(
        "bayes_net_parameters",
        RANGE,
        source="""
def bayes_net_parameters(cardinalities, parents):
    n, total = len(cardinalities), 0
    for i in range(n):
        try:
            total += (cardinalities[i] - 1) * math.prod(cardinalities[j] for j in parents[i])
        except IndexError:
            raise ValueError(f"node {i} has an unknown parent") from None
    state = [0] * n

    def visit(node):
        state[node] = 1
        for j in parents[node]:
            if state[j] == 1:
                raise ValueError(f"node {j} is its own ancestor")
            if state[j] == 0:
                visit(j)
        state[node] = 2

    for node in range(n):
        if state[node] == 0:
            visit(node)
    return total
""",
    ),
    *written(
        "fvsbn_parameters",
        "fvsbn_parameters(n)",
        (FVSBN, "halved-too-early", "return n // 2 * (n + 1)"),
        (FVSBN, "halved-too-early", "return (n + 1) // 2 * n"),
    ),
)
