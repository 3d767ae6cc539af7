"""Equivalent mutants of this lesson's solutions; see the package."""

_WARNS = "Only a warning appears that the solution keeps quiet."
_STEPS = "A step more or fewer of 2,000: a long walk ends in the same place."

LESSON = "06_kl"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "cross_entropy",
        'with np.errstate(divide="ignore"):',
        "np.errstate(divide='ignore')",
        "np.errstate()",
    ): _WARNS,
    (
        "kl",
        'with np.errstate(divide="ignore"):',
        "np.errstate(divide='ignore')",
        "np.errstate()",
    ): _WARNS,
    (
        "mle_equals_kl",
        'with np.errstate(divide="ignore"):',
        "np.errstate(divide='ignore')",
        "np.errstate()",
    ): _WARNS,
    (
        "fit_forward",
        "return mu, np.sqrt((weights * (grid - mu) ** 2).sum())",
        "grid - mu",
        "mu - grid",
    ): ("A square has no sign."),
    ("fit_reverse", "mu, s = start[0], np.log(start[1])", "1", "-1"): (
        "A pair has its second number last."
    ),
    (
        "fit_reverse",
        "def fit_reverse(p, grid, start, rate=0.02, steps=2000):",
        "2000",
        "2001",
    ): _STEPS,
    (
        "fit_reverse",
        "def fit_reverse(p, grid, start, rate=0.02, steps=2000):",
        "2000",
        "1999",
    ): _STEPS,
}
