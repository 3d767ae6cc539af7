"""Mutants that are the function itself, or that no exercise excludes: one sentence each.

The key is (lesson, exercise, text before, text after) as `python -m tests.mutants.checks` prints.
"""

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
_WARNS = "Only a warning appears that the solution keeps quiet."
_RATE = "Another rate, or a step fewer of 2,000: a long walk ends in the same place."
_FACTOR = (
    "A positive factor of a slope (and ∫ q·z = ∫ q·(z² − 1) = 0 swallow a constant of log q) "
    "alters how fast the walk is, not where it ends."
)

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    ("06_kl", "cross_entropy", "np.errstate(divide='ignore')", "np.errstate()"): _WARNS,
    ("06_kl", "kl", "np.errstate(divide='ignore')", "np.errstate()"): _WARNS,
    ("06_kl", "mle_equals_kl", "np.errstate(divide='ignore')", "np.errstate()"): _WARNS,
    ("06_kl", "fit_forward", "grid - mu", "mu - grid"): "A square has no sign.",
    ("06_kl", "fit_reverse", "1", "-1"): "A pair has its second number last.",
    ("06_kl", "fit_reverse", "0.02", "0.04"): _RATE,
    ("06_kl", "fit_reverse", "0.02", "0.01"): _RATE,
    ("06_kl", "fit_reverse", "2000", "2001"): _RATE,
    ("06_kl", "fit_reverse", "2000", "1999"): _RATE,
    ("06_kl", "fit_reverse", "range(steps)", "range(steps - 1)"): _RATE,
    ("06_kl", "fit_reverse", "1", "2"): _FACTOR,
    (
        "06_kl",
        "fit_reverse",
        "-z ** 2 / 2 - s - 0.5 * np.log(2 * np.pi)",
        "-z ** 2 / 2 - s + 0.5 * np.log(2 * np.pi)",
    ): _FACTOR,
    (
        "06_kl",
        "fit_reverse",
        "-z ** 2 / 2 - s - 0.5 * np.log(2 * np.pi)",
        "-z ** 2 / 2 - s",
    ): _FACTOR,
    ("06_kl", "fit_reverse", "-z ** 2 / 2 - s", "-z ** 2 / 2 + s"): _FACTOR,
    ("06_kl", "fit_reverse", "-z ** 2 / 2 - s", "-z ** 2 / 2"): _FACTOR,
    ("06_kl", "fit_reverse", "0.5 * np.log(2 * np.pi)", "0.5 / np.log(2 * np.pi)"): _FACTOR,
    ("06_kl", "fit_reverse", "0.5 * np.log(2 * np.pi)", "0.5"): _FACTOR,
    ("06_kl", "fit_reverse", "0.5 * np.log(2 * np.pi)", "np.log(2 * np.pi)"): _FACTOR,
    ("06_kl", "fit_reverse", "0.5", "1.0"): _FACTOR,
    ("06_kl", "fit_reverse", "0.5", "0.25"): _FACTOR,
    ("06_kl", "fit_reverse", "0.5", "-0.5"): _FACTOR,
    ("06_kl", "fit_reverse", "np.log(2 * np.pi)", "2 * np.pi"): _FACTOR,
    ("06_kl", "fit_reverse", "2 * np.pi", "2 / np.pi"): _FACTOR,
    ("06_kl", "fit_reverse", "2 * np.pi", "2"): _FACTOR,
    ("06_kl", "fit_reverse", "2 * np.pi", "np.pi"): _FACTOR,
    (
        "06_kl",
        "fit_reverse",
        "(weighted * z).sum() / sigma",
        "(weighted * z).sum() * sigma",
    ): _FACTOR,
    ("06_kl", "fit_reverse", "(weighted * z).sum() / sigma", "(weighted * z).sum()"): _FACTOR,
    ("06_kl", "fit_reverse", "np.log", "np.log2"): _FACTOR,
    ("06_kl", "fit_reverse", "np.log", "np.log1p"): _FACTOR,
    ("06_kl", "fit_reverse", "2", "3"): _FACTOR,
    ("06_kl", "fit_reverse", "2", "1"): _FACTOR,
}
