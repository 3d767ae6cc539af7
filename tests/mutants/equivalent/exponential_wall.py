"""Equivalent mutants of this lesson's solutions; see the package."""

# 01: sentences that several of its mutants share.
_WALK = (
    "The walk from any node that is left comes to the cycle in fewer than n steps, and stays on it."
)
_WORDS = "It changes the words of the message after the node's number, which nobody asks for."
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
    ("bits_to_exceed", "n = 0", "0", "1"): _START,
    ("bits_to_exceed", "n = 0", "0", "-1"): _START,
}
