"""Equivalent mutants of this lesson's solutions; see the package."""

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
