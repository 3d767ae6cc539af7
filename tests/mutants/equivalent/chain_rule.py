"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "02_chain_rule"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "conditionals",
        "upto = joint.sum(axis=tuple(range(i + 1, n)))",
        "joint.sum",
        "joint.mean",
    ): ("A mean over the later axes is the sum over a constant, which the division takes out."),
    (
        "conditionals",
        "row = np.full(upto.shape, 1 / joint.shape[i])",
        "joint.shape[i]",
        "joint.shape[i - 1]",
    ): ("All variables have k values, so all axes are equally long."),
    (
        "log_likelihood",
        'with np.errstate(divide="ignore"):',
        "np.errstate(divide='ignore')",
        "np.errstate()",
    ): ("It only lets a warning be seen; the numbers are the same."),
    ("sample", "x = np.zeros((count, 0), dtype=int)", "np.zeros", "np.ones"): (
        "The array has no column yet: nothing is in it."
    ),
    ("sample", "rows = np.broadcast_to(factor[tuple(x.T)], (count, factor.shape[-1]))", "1", "0"): (
        "The length of the first axis, -0, is that of the last one: all are k."
    ),
    ("sample", "sums = rows.cumsum(axis=1)", "rows.cumsum(axis=1)", "rows.cumsum(axis=-1)"): (
        "The last of two axes is axis 1."
    ),
    (
        "sample",
        "u = rng.random((count, 1)) * sums[:, -1:]",
        "rng.random((count, 1)) * sums[:, -1:]",
        "rng.random((count, 1)) / sums[:, -1:]",
    ): ("The last sum is 1 up to rounding: the words differ once in 10^15 letters."),
    (
        "sample",
        "u = rng.random((count, 1)) * sums[:, -1:]",
        "rng.random((count, 1)) * sums[:, -1:]",
        "rng.random((count, 1))",
    ): ("The last sum is 1 up to rounding: the words differ once in 10^15 letters."),
    (
        "sample",
        "x = np.column_stack([x, (u >= sums).sum(axis=1)])",
        "(u >= sums).sum(axis=1)",
        "(u >= sums).sum(axis=-1)",
    ): ("The last of two axes is axis 1."),
    ("sample", "x = np.column_stack([x, (u >= sums).sum(axis=1)])", "u >= sums", "u > sums"): (
        "A uniform number equals a running sum once in 2^53 draws."
    ),
}
