"""Equivalent mutants of this lesson's solutions; see the package."""

# 01: sentences that several of its mutants share.
_WALK = (
    "The walk from any node that is left comes to the cycle in fewer than n steps, and stays on it."
)
_WORDS = "It changes the words of the message after the node's number, which nobody asks for."
_EDGES = (
    "Output 1 sees nothing and no unit sees input n: without them nothing is counted otherwise."
)
_INPUT_N = "No unit and no output sees input n: without it nothing is counted otherwise."
_NUMPY = "A NumPy integer of small numbers is an integer too."
_START = "2^0 − 1 and 2^(−1) − 1 exceed no limit, and 2^0 − 1 is 0: the first n is at least 1."

LESSON = "01_exponential_wall"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "bayes_net_parameters",
        "for _ in range(n):",
        "range(n)",
        "range(n + 1)",
    ): _WALK,
    (
        "bayes_net_parameters",
        "for _ in range(n):",
        "range(n)",
        "range(n - 1)",
    ): _WALK,
    ("bayes_net_parameters", "node = min(left)", "min", "max"): _WALK,
    (
        "bayes_net_parameters",
        'raise ValueError(f"node {i} has the parent {j}, but nodes are 0 to {n - 1}")',
        "n - 1",
        "n + 1",
    ): _WORDS,
    (
        "bayes_net_parameters",
        'raise ValueError(f"node {i} has the parent {j}, but nodes are 0 to {n - 1}")',
        "n - 1",
        "n",
    ): _WORDS,
    (
        "bayes_net_parameters",
        'raise ValueError(f"node {i} has the parent {j}, but nodes are 0 to {n - 1}")',
        "n - 1",
        "1",
    ): _WORDS,
    (
        "bayes_net_parameters",
        'raise ValueError(f"node {i} has the parent {j}, but nodes are 0 to {n - 1}")',
        "n - 1",
        "1 - n",
    ): _WORDS,
    (
        "bayes_net_parameters",
        'raise ValueError(f"node {i} has the parent {j}, but nodes are 0 to {n - 1}")',
        "1",
        "2",
    ): _WORDS,
    (
        "bayes_net_parameters",
        'raise ValueError(f"node {i} has the parent {j}, but nodes are 0 to {n - 1}")',
        "1",
        "0",
    ): _WORDS,
    (
        "bayes_net_parameters",
        'raise ValueError(f"node {i} has the parent {j}, but nodes are 0 to {n - 1}")',
        "1",
        "-1",
    ): _WORDS,
    ("made_parameters", "below = np.arange(1, n + 1)", "n + 1", "n"): _INPUT_N,
    ("made_parameters", "below = np.arange(1, n + 1)", "1", "2"): _EDGES,
    ("made_parameters", "outputs = np.arange(1, n + 1)", "1", "2"): _EDGES,
    ("made_parameters", "below = np.arange(1, n + 1)", "1", "0"): _EDGES,
    ("made_parameters", "outputs = np.arange(1, n + 1)", "1", "0"): _EDGES,
    ("made_parameters", "outputs = np.arange(1, n + 1)", "1", "-1"): _EDGES,
    (
        "made_parameters",
        "return count + int((outputs[:, None] > below[None, :]).sum())",
        "int((outputs[:, None] > below[None, :]).sum())",
        "(outputs[:, None] > below[None, :]).sum()",
    ): _NUMPY,
    (
        "made_parameters",
        "count += int((degrees[:, None] >= below[None, :]).sum()) + size",
        "int((degrees[:, None] >= below[None, :]).sum())",
        "(degrees[:, None] >= below[None, :]).sum()",
    ): _NUMPY,
    ("bits_to_exceed", "n = 0", "0", "1"): _START,
    ("bits_to_exceed", "n = 0", "0", "-1"): _START,
}
