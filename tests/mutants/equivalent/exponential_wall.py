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

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    ("01_exponential_wall", "bayes_net_parameters", "range(n)", "range(n + 1)"): _WALK,
    ("01_exponential_wall", "bayes_net_parameters", "range(n)", "range(n - 1)"): _WALK,
    ("01_exponential_wall", "bayes_net_parameters", "min", "max"): _WALK,
    ("01_exponential_wall", "bayes_net_parameters", "n - 1", "n + 1"): _WORDS,
    ("01_exponential_wall", "bayes_net_parameters", "n - 1", "n"): _WORDS,
    ("01_exponential_wall", "bayes_net_parameters", "n - 1", "1"): _WORDS,
    ("01_exponential_wall", "bayes_net_parameters", "n - 1", "1 - n"): _WORDS,
    ("01_exponential_wall", "bayes_net_parameters", "1", "2"): _WORDS,
    ("01_exponential_wall", "bayes_net_parameters", "1", "0"): _WORDS,
    ("01_exponential_wall", "bayes_net_parameters", "1", "-1"): _WORDS,
    ("01_exponential_wall", "made_parameters", "n + 1", "n"): _INPUT_N,
    ("01_exponential_wall", "made_parameters", "1", "2"): _EDGES,
    ("01_exponential_wall", "made_parameters", "1", "0"): _EDGES,
    ("01_exponential_wall", "made_parameters", "1", "-1"): _EDGES,
    (
        "01_exponential_wall",
        "made_parameters",
        "int((outputs[:, None] > below[None, :]).sum())",
        "(outputs[:, None] > below[None, :]).sum()",
    ): _NUMPY,
    (
        "01_exponential_wall",
        "made_parameters",
        "int((degrees[:, None] >= below[None, :]).sum())",
        "(degrees[:, None] >= below[None, :]).sum()",
    ): _NUMPY,
    ("01_exponential_wall", "bits_to_exceed", "0", "1"): _START,
    ("01_exponential_wall", "bits_to_exceed", "0", "-1"): _START,
}
