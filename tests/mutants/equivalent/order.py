"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "08_order"

_LAST = "A pair has its second number last."
_GRID = (
    "Eight standard deviations or seven, 400 nodes or 401: the integral is the same to 10 digits."
)
_BUMPS = "return 0.5 * norm.pdf(x2, mu[0], sigma) + 0.5 * norm.pdf(x2, mu[1], sigma)"
_ODDS = "log_odds = (mu[1] - mu[0]) * (x2 - (mu[0] + mu[1]) / 2) / eps"
_VAR2 = "var2 = eps + (mu[1] - mu[0]) ** 2 / 4"
_NODES = "x2 = np.linspace(min(mu) - reach, max(mu) + reach, 400)"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "marginal_x2",
        _BUMPS,
        "norm.pdf(x2, mu[0], sigma)",
        "norm.pdf(mu[0], x2, sigma)",
    ): "A Gaussian depends on the distance to its mean only.",
    (
        "marginal_x2",
        _BUMPS,
        "norm.pdf(x2, mu[1], sigma)",
        "norm.pdf(mu[1], x2, sigma)",
    ): "A Gaussian depends on the distance to its mean only.",
    ("marginal_x2", _BUMPS, "1", "-1"): _LAST,
    ("reverse_posterior", _ODDS, "1", "-1"): _LAST,
    ("best_reverse_gaussian", "mean2 = (mu[0] + mu[1]) / 2", "1", "-1"): _LAST,
    ("best_reverse_gaussian", _VAR2, "1", "-1"): _LAST,
    ("best_reverse_gaussian", _VAR2, "mu[1] - mu[0]", "mu[0] - mu[1]"): "A square has no sign.",
    ("gap", "reach = 8 * np.sqrt(eps)", "8", "9"): _GRID,
    ("gap", "reach = 8 * np.sqrt(eps)", "8", "7"): _GRID,
    ("gap", _NODES, "400", "401"): _GRID,
    ("gap", _NODES, "400", "399"): _GRID,
    (
        "mixture_reverse",
        "def mixture_reverse(components, mu=(0.0, 1.0), eps=0.04):",
        "1.0",
        "-1.0",
    ): "A world that is mirrored loses the same.",
    (
        "mixture_reverse",
        "lost1 = rel_entr(p1, fit_mixture(p1, x1, components)).sum(1) * step1",
        "1",
        "-1",
    ): "Of an array with two axes the axis 1 is the last one.",
}
