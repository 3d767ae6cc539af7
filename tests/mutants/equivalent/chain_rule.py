"""Equivalent mutants of this lesson's solutions; see the package."""

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    ("02_chain_rule", "conditionals", "joint.sum", "joint.mean"): (
        "A mean over the later axes is the sum over a constant, which the division takes out."
    ),
    ("02_chain_rule", "conditionals", "joint.shape[i]", "joint.shape[i - 1]"): (
        "All variables have k values, so all axes are equally long."
    ),
    ("02_chain_rule", "log_likelihood", "np.errstate(divide='ignore')", "np.errstate()"): (
        "It only lets a warning be seen; the numbers are the same."
    ),
    ("02_chain_rule", "sample", "np.zeros", "np.ones"): (
        "The array has no column yet: nothing is in it."
    ),
    ("02_chain_rule", "sample", "1", "0"): (
        "The length of the first axis, -0, is that of the last one: all are k."
    ),
    ("02_chain_rule", "sample", "rows.cumsum(axis=1)", "rows.cumsum(axis=-1)"): (
        "The last of two axes is axis 1."
    ),
    (
        "02_chain_rule",
        "sample",
        "rng.random((count, 1)) * sums[:, -1:]",
        "rng.random((count, 1)) / sums[:, -1:]",
    ): ("The last sum is 1 up to rounding: the words differ once in 10^15 letters."),
    (
        "02_chain_rule",
        "sample",
        "rng.random((count, 1)) * sums[:, -1:]",
        "rng.random((count, 1))",
    ): ("The last sum is 1 up to rounding: the words differ once in 10^15 letters."),
    ("02_chain_rule", "sample", "(u >= sums).sum(axis=1)", "(u >= sums).sum(axis=-1)"): (
        "The last of two axes is axis 1."
    ),
    ("02_chain_rule", "sample", "u >= sums", "u > sums"): (
        "A uniform number equals a running sum once in 2^53 draws."
    ),
}
