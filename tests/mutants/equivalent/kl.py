"""Equivalent mutants of this lesson's solutions; see the package."""

_WARNS = "Only a warning appears that the solution keeps quiet."
_RATE = "Another rate, or a step fewer of 2,000: a long walk ends in the same place."
_FACTOR = (
    "A positive factor of a slope (and ∫ q·z = ∫ q·(z² − 1) = 0 swallow a constant of log q) "
    "alters how fast the walk is, not where it ends."
)

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
        "0.02",
        "0.04",
    ): _RATE,
    (
        "fit_reverse",
        "def fit_reverse(p, grid, start, rate=0.02, steps=2000):",
        "0.02",
        "0.01",
    ): _RATE,
    (
        "fit_reverse",
        "def fit_reverse(p, grid, start, rate=0.02, steps=2000):",
        "2000",
        "2001",
    ): _RATE,
    (
        "fit_reverse",
        "def fit_reverse(p, grid, start, rate=0.02, steps=2000):",
        "2000",
        "1999",
    ): _RATE,
    ("fit_reverse", "spacing, log_p = grid[1] - grid[0], np.log(p)", "1", "2"): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "-z ** 2 / 2 - s - 0.5 * np.log(2 * np.pi)",
        "-z ** 2 / 2 - s + 0.5 * np.log(2 * np.pi)",
    ): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "-z ** 2 / 2 - s - 0.5 * np.log(2 * np.pi)",
        "-z ** 2 / 2 - s",
    ): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "-z ** 2 / 2 - s",
        "-z ** 2 / 2 + s",
    ): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "-z ** 2 / 2 - s",
        "-z ** 2 / 2",
    ): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "0.5 * np.log(2 * np.pi)",
        "0.5 / np.log(2 * np.pi)",
    ): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "0.5 * np.log(2 * np.pi)",
        "0.5",
    ): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "0.5 * np.log(2 * np.pi)",
        "np.log(2 * np.pi)",
    ): _FACTOR,
    ("fit_reverse", "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)", "0.5", "1.0"): _FACTOR,
    ("fit_reverse", "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)", "0.5", "0.25"): _FACTOR,
    ("fit_reverse", "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)", "0.5", "-0.5"): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "np.log(2 * np.pi)",
        "2 * np.pi",
    ): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "2 * np.pi",
        "2 / np.pi",
    ): _FACTOR,
    ("fit_reverse", "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)", "2 * np.pi", "2"): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "2 * np.pi",
        "np.pi",
    ): _FACTOR,
    (
        "fit_reverse",
        "slope_mu, slope_s = (weighted * z).sum() / sigma, (weighted * (z**2 - 1)).sum()",
        "(weighted * z).sum() / sigma",
        "(weighted * z).sum() * sigma",
    ): _FACTOR,
    (
        "fit_reverse",
        "slope_mu, slope_s = (weighted * z).sum() / sigma, (weighted * (z**2 - 1)).sum()",
        "(weighted * z).sum() / sigma",
        "(weighted * z).sum()",
    ): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "np.log",
        "np.log2",
    ): _FACTOR,
    (
        "fit_reverse",
        "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)",
        "np.log",
        "np.log1p",
    ): _FACTOR,
    ("fit_reverse", "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)", "2", "3"): _FACTOR,
    ("fit_reverse", "log_q = -(z**2) / 2 - s - 0.5 * np.log(2 * np.pi)", "2", "1"): _FACTOR,
}
