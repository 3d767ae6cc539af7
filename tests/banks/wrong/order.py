"""Wrong answers to lesson 08, order."""

from tests.banks.bank import Wrong, written

BUMPS = "p(x2) is the mean of the two bumps N(mu[0], ε) and N(mu[1], ε)"
MASS = "it integrates to 1, for narrow bumps and for wide ones"
SHAPE = "one number in, one number out; an array in, one of its shape out"
BAYES = "p(x1 | x2) = p(x1) p(x2 | x1) / p(x2)"
ROWS = "for each x2 it integrates to 1 over x1"
FAR = "it stays a density where p(x2) is too small for a floating-point number"
BROADCAST = "x1 and x2 broadcast; x1 = 0 belongs to the lower side"
MOMENTS = "mean2 and var2 are mean and variance of X2"
MEAN = "the conditional's mean is E[X1 | x2]"
VARIANCE = "the conditional's variance is Var[X1 | x2], another one for each x2"
ANY_SHAPE = "conditional takes a number or an array of any shape"
GAP = "the gap is KL(p ‖ the best reverse Gaussian model), in nats"
MERGE = "it falls to 0 as the bumps merge, and is above 0 before"
UNITS = "it is above 0, and depends on the distance in standard deviations, Δ/√ε, alone"
ONE = "one component loses the gap: the sum of what both factors lose"
TWO = "two components close the gap in p(x2), and not in p(x1 | x2)"
LOG_ODDS = "each pixel's bias is the log-odds of its frequency, half an image of each kind added"
EDGES = "a pixel that is never inked, or always, starts at the log-odds of half an image"
FREQUENCY = "frequency = (images.sum(0) + 0.5) / (len(images) + 1)"
LOGIT = "return torch.logit(frequency)"
MORE = "each further component helps, and none closes the gap for good"

SIGMA = "sigma = np.sqrt(eps)"
MIXED = "return 0.5 * norm.pdf(x2, mu[0], sigma) + 0.5 * norm.pdf(x2, mu[1], sigma)"
PIECES = "return 2 * norm.pdf(x1) * side"
WITHIN = "eps + (mu[1] - mu[0]) ** 2 / 4"
PAIR = "return mean, moment(2) - mean**2"
INTEGRALS = "return quad_vec(integrand, -np.inf, 0)[0] + quad_vec(integrand, 0, np.inf)[0]"
WHOLE = "return 0.5 * np.log(var2 / eps) + 0.5 * average"
AVERAGE = "average = (marginal_x2(x2, mu, eps) * np.log(variance)).sum() * (x2[1] - x2[0])"
GRID = "x2 = np.linspace(min(mu) - reach, max(mu) + reach, 400)"
LOST = "return lost2 + (p2 * lost1).sum() * step2"
LOST2 = "lost2 = rel_entr(p2, fit_mixture(p2, x2, components)).sum() * step2"
LOST1 = "lost1 = rel_entr(p1, fit_mixture(p1, x1, components)).sum(1) * step1"

PLAIN_BAYES = """
def reverse_posterior(x1, x2, mu, eps):
    sigma = np.sqrt(eps)
    likelihood = norm.pdf(x2, np.where(np.asarray(x1) > 0, mu[1], mu[0]), sigma)
    with np.errstate(all="ignore"):
        return PRIOR * likelihood / EVIDENCE
"""


def bayes(prior: str = "norm.pdf(x1)", evidence: str = "marginal_x2(x2, mu, eps)") -> str:
    return PLAIN_BAYES.replace("PRIOR", prior).replace("EVIDENCE", evidence)


ALGEBRA = """
def best_reverse_gaussian(mu, eps):
    mean2, var2 = sum(mu) / 2, eps + (mu[1] - mu[0]) ** 2 / 4

    def conditional(x2):
        w = expit((mu[1] - mu[0]) * (np.asarray(x2) - mean2) / eps)
        mean = np.sqrt(2 / np.pi) * (2 * w - 1)
        variance = 1 - mean**2
        return mean, variance

    return mean2, var2, conditional
"""
VAR2 = "var2 = sum(mu) / 2, eps + (mu[1] - mu[0]) ** 2 / 4"
MEAN1 = "mean = np.sqrt(2 / np.pi) * (2 * w - 1)"
VAR1 = "variance = 1 - mean**2"


# The same as the solution's, without a quadrature: a hundred times as fast.
GAP_BY_ALGEBRA = """
def gap(mu, eps):
    var2, reach = eps + (mu[1] - mu[0]) ** 2 / 4, 8 * np.sqrt(eps)
    x2 = np.linspace(min(mu) - reach, max(mu) + reach, 400)
    w = expit((mu[1] - mu[0]) * (x2 - sum(mu) / 2) / eps)
    variance = 1 - 2 / np.pi * (2 * w - 1) ** 2
    average = (marginal_x2(x2, mu, eps) * np.log(variance)).sum() * (x2[1] - x2[0])
    return 0.5 * np.log(var2 / eps) + 0.5 * average
"""


def gap(misconception: str, *edits: tuple[str, str], fails: str = GAP) -> Wrong:
    """A wrong `gap`, its variances in closed form."""
    text = GAP_BY_ALGEBRA
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return Wrong("gap", fails, misconception, source=text)


def algebra(old: str, new: str) -> str:
    assert ALGEBRA.count(old) == 1
    return ALGEBRA.replace(old, new)


def var2(new: str) -> str:
    return algebra(VAR2, f"var2 = sum(mu) / 2, {new}")


ANSWERS = (
    # marginal_x2
    Wrong("marginal_x2", BUMPS, "variance-for-std", edit=(SIGMA, "sigma = eps")),
    Wrong(
        "marginal_x2",
        BUMPS,
        "variance-for-std",
        edit=(
            MIXED,
            "return sum(0.5 * np.exp(-((x2 - m) ** 2) / eps) / np.sqrt(2 * np.pi * eps)"
            " for m in mu)",
        ),
    ),
    Wrong("marginal_x2", MASS, "weights-of-one", edit=(MIXED, MIXED.replace("0.5 * ", ""))),
    Wrong(
        "marginal_x2",
        BUMPS,
        "means-averaged",
        edit=(MIXED, "return norm.pdf(x2, (mu[0] + mu[1]) / 2, sigma)"),
    ),
    Wrong(
        "marginal_x2",
        BUMPS,
        "one-gaussian",
        edit=(
            MIXED,
            "return norm.pdf(x2, sum(mu) / 2, np.sqrt(eps + (mu[1] - mu[0]) ** 2 / 4))",
        ),
    ),
    Wrong("marginal_x2", BUMPS, "one-side-only", edit=(MIXED, "return norm.pdf(x2, mu[1], sigma)")),
    Wrong(
        "marginal_x2",
        BUMPS,
        "variance-for-std",
        edit=(
            MIXED,
            "return sum(0.5 * np.exp(-((x2 - m) ** 2) / (2 * eps)) / (eps * np.sqrt(2 * np.pi))"
            " for m in mu)",
        ),
    ),
    Wrong("marginal_x2", BUMPS, "sum-of-variables", edit=(SIGMA, "sigma = np.sqrt(1 + eps)")),
    Wrong(
        "marginal_x2",
        SHAPE,
        edit=(MIXED, MIXED.replace("return ", "return np.atleast_1d(") + ").reshape(-1)"),
    ),
    Wrong("marginal_x2", BUMPS, edit=(MIXED, "return np.full(np.shape(x2), np.nan)")),
    Wrong("marginal_x2", stops="should hold numbers", edit=(MIXED, MIXED + " + 0j")),
    Wrong(
        "marginal_x2",
        BUMPS,
        "unequal-weights",
        edit=("0.5 * norm.pdf(x2, mu[1]", "norm.pdf(x2, mu[1]"),
    ),
    Wrong("marginal_x2", BUMPS, "log-density", edit=(MIXED, f"return np.log({MIXED[7:]})")),
    Wrong("marginal_x2", BUMPS, "one-side-only", edit=(MIXED, MIXED[: MIXED.index(" + ")])),
    *(
        Wrong(
            "marginal_x2",
            BUMPS,
            name,
            edit=(
                MIXED,
                f"return sum(0.5 * np.exp(-((x2 - m) ** 2) / {twice}) for m in mu) / {norm}",
            ),
        )
        for name, twice, norm in (
            ("normalizer-omitted", "(2 * eps)", "1"),
            ("variance-for-std", "(2 * eps**2)", "np.sqrt(2 * np.pi * eps)"),
        )
    ),
    # reverse_posterior
    Wrong(
        "reverse_posterior",
        BAYES,
        "sides-swapped",
        edit=("log_odds, -log_odds", "-log_odds, log_odds"),
    ),
    Wrong("reverse_posterior", ROWS, "normalizer-omitted", source=bayes(evidence="1.0")),
    Wrong("reverse_posterior", FAR, "zero-by-zero", source=bayes()),
    Wrong(
        "reverse_posterior",
        FAR,
        "underflow-patched",
        source=bayes(evidence="(marginal_x2(x2, mu, eps) + 1e-300)"),
    ),
    Wrong(
        "reverse_posterior",
        FAR,
        "underflow-patched",
        source=bayes().replace("return ", "return np.nan_to_num(").rstrip() + ")",
    ),
    Wrong("reverse_posterior", BAYES, "variance-for-std", edit=("/ 2) / eps", "/ 2) / eps**2")),
    Wrong("reverse_posterior", BAYES, "arrow-not-turned", source=bayes("1.0", "1.0")),
    Wrong("reverse_posterior", ROWS, "prior-forgotten", source=bayes("1.0")),
    Wrong(
        "reverse_posterior", ROWS, "half-normal-halved", edit=("2 * norm.pdf(x1)", "norm.pdf(x1)")
    ),
    Wrong(
        "reverse_posterior",
        BAYES,
        "order-changes-the-joint",
        source=bayes(evidence="norm.pdf(x2, sum(mu) / 2, np.sqrt(eps + (mu[1] - mu[0]) ** 2 / 4))"),
    ),
    *written(
        "reverse_posterior",
        "reverse_posterior(x1, x2, mu, eps)",
        (
            BAYES,
            "gaussian-for-posterior",
            """
w = expit((mu[1] - mu[0]) * (x2 - (mu[0] + mu[1]) / 2) / eps)
mean = np.sqrt(2 / np.pi) * (2 * w - 1)
return norm.pdf(x1, mean, np.sqrt(1 - mean**2))
""",
        ),
        (
            BAYES,
            "gaussian-for-posterior",
            """
covariance, var2 = (mu[1] - mu[0]) / np.sqrt(2 * np.pi), eps + (mu[1] - mu[0]) ** 2 / 4
mean = covariance / var2 * (x2 - (mu[0] + mu[1]) / 2)
return norm.pdf(x1, mean, np.sqrt(1 - covariance**2 / var2))
""",
        ),
        (
            BAYES,
            "gaussians-for-halves",
            """
w = expit((mu[1] - mu[0]) * (x2 - np.mean(mu)) / eps)
h = np.sqrt(2 / np.pi)
return w * norm.pdf(x1, h) + (1 - w) * norm.pdf(x1, -h)
""",
        ),
        (
            BAYES,
            "x1-for-its-side",
            """
t = (mu[1] - mu[0]) * (x2 - np.mean(mu)) / eps
return 2 * norm.pdf(x1) * expit(x1 * t)
""",
        ),
    ),
    Wrong("reverse_posterior", BROADCAST, "zero-above", edit=("where(x1 > 0", "where(x1 >= 0")),
    Wrong(
        "reverse_posterior",
        BAYES,
        "prior-returned",
        edit=(PIECES, "return norm.pdf(x1) + 0 * side"),
    ),
    Wrong(
        "reverse_posterior", ROWS, "weight-without-density", edit=(PIECES, "return side + 0 * x1")
    ),
    Wrong("reverse_posterior", BAYES, "side-forgotten", edit=(PIECES, "return 2 * norm.pdf(x1)")),
    Wrong("reverse_posterior", ROWS, "evidence-doubled", edit=("2 * norm", "4 * norm")),
    Wrong("reverse_posterior", BAYES, "log-density", edit=(PIECES, f"return np.log({PIECES[7:]})")),
    Wrong(
        "reverse_posterior", BROADCAST, "flattened", edit=(PIECES, f"return np.ravel({PIECES[7:]})")
    ),
    Wrong(
        "reverse_posterior",
        BAYES,
        "variance-for-std",
        source=bayes(evidence="marginal_x2(x2, mu, eps**2)").replace("np.sqrt(eps)", "eps"),
    ),
    Wrong(
        "reverse_posterior",
        FAR,
        edit=("side = expit(", "log_odds = np.clip(log_odds, -10, 10)\n    side = expit("),
    ),
    *(
        Wrong("reverse_posterior", BAYES, "middle-elsewhere", edit=("(mu[0] + mu[1]) / 2", middle))
        for middle in ("(mu[1] - mu[0]) / 2", "(mu[0] + mu[1])", "0.0")
    ),
    # best_reverse_gaussian
    Wrong("best_reverse_gaussian", MOMENTS, "within-only", edit=(WITHIN, "eps")),
    Wrong(
        "best_reverse_gaussian", MOMENTS, "std-for-variance", edit=(WITHIN, f"np.sqrt({WITHIN})")
    ),
    Wrong(
        "best_reverse_gaussian",
        MOMENTS,
        "bumps-missed",
        edit=(
            f"var2 = {WITHIN}  # within a bump, and between the bumps",
            """
    def density_moment(k):
        return quad_vec(lambda t: t**k * marginal_x2(t, mu, eps), -np.inf, np.inf)[0]

    mean2 = density_moment(1)
    var2 = density_moment(2) - mean2**2
""".strip(),
        ),
    ),
    Wrong(
        "best_reverse_gaussian", VARIANCE, "second-moment", edit=(PAIR, "return mean, moment(2)")
    ),
    Wrong(
        "best_reverse_gaussian",
        VARIANCE,
        "std-for-variance",
        edit=(PAIR, "return mean, np.sqrt(moment(2) - mean**2)"),
    ),
    Wrong(
        "best_reverse_gaussian",
        VARIANCE,
        "constant-variance",
        edit=(
            PAIR,
            """
        grid = np.linspace(min(mu) - 9 * np.sqrt(eps), max(mu) + 9 * np.sqrt(eps), 2000)
        w = expit((mu[1] - mu[0]) * (grid - mean2) / eps)
        spread = (marginal_x2(grid, mu, eps) * (1 - 2 / np.pi * (2 * w - 1) ** 2)).sum()
        return mean, 0 * mean + spread * (grid[1] - grid[0])
""".strip(),
        ),
    ),
    Wrong(
        "best_reverse_gaussian",
        MEAN,
        "best-line",
        edit=(
            PAIR,
            """
        slope = (mu[1] - mu[0]) / np.sqrt(2 * np.pi) / var2
        return slope * (x2 - mean2), 0 * x2 + 1 - slope**2 * var2
""".strip(),
        ),
    ),
    Wrong(
        "best_reverse_gaussian", MEAN, "sides-swapped", edit=(PAIR, PAIR.replace("mean,", "-mean,"))
    ),
    Wrong(
        "best_reverse_gaussian",
        MEAN,
        "one-side-only",
        edit=(INTEGRALS, "return quad_vec(integrand, 0, np.inf)[0]"),
    ),
    Wrong(
        "best_reverse_gaussian",
        MEAN,
        "quadrature-across-the-jump",
        edit=(
            INTEGRALS,
            """
            points = np.linspace(-6, 6, 121)
            return sum(integrand(t) for t in points) * 0.1
""".strip(),
        ),
    ),
    Wrong(
        "best_reverse_gaussian",
        stops="three things",
        edit=("return mean2, var2, conditional", "return mean2, var2"),
    ),
    Wrong(
        "best_reverse_gaussian",
        stops="should be a function of x2",
        edit=("return mean2, var2, conditional", "return mean2, var2, conditional(mean2)"),
    ),
    *(
        Wrong("best_reverse_gaussian", MOMENTS, name, source=var2(new))
        for name, new in (
            ("between-only", "(mu[1] - mu[0]) ** 2 / 4"),
            ("second-moment", "eps + (mu[0] ** 2 + mu[1] ** 2) / 2"),
            ("variance-for-std", "eps**2 + (mu[1] - mu[0]) ** 2 / 4"),
            ("whole-distance", "eps + (mu[1] - mu[0]) ** 2"),
        )
    ),
    Wrong("best_reverse_gaussian", MOMENTS, "means-added", edit=("(mu[0] + mu[1]) / 2", "sum(mu)")),
    *(
        Wrong("best_reverse_gaussian", MEAN, name, source=algebra(MEAN1, f"mean = {new}"))
        for name, new in (
            ("more-likely-side", "np.sqrt(2 / np.pi) * np.sign(2 * w - 1)"),
            ("signs-for-means", "2 * w - 1"),
            ("prior-mean", "0 * w"),
            ("arrow-not-turned", "np.where(np.asarray(x2) > 0, mu[1], mu[0])"),
            ("variance-for-std", "np.sqrt(2 / np.pi) * np.tanh(np.arctanh(2 * w - 1) / eps)"),
        )
    ),
    Wrong(
        "best_reverse_gaussian",
        MEAN,
        "normalizer-omitted",
        edit=("reverse_posterior(x1", "marginal_x2(x2, mu, eps) * reverse_posterior(x1"),
    ),
    Wrong(
        "best_reverse_gaussian",
        MEAN,
        "world-forgotten",
        source=ALGEBRA.replace(
            "eps):", "eps):\n    global mu_, eps_\n    mu_, eps_ = mu, eps"
        ).replace("(mu[1] - mu[0]) * (np.asarray(x2) - mean2) / eps", "odds(x2)")
        + """
def odds(x2):
    return (mu_[1] - mu_[0]) * (np.asarray(x2) - sum(mu_) / 2) / eps_
""",
    ),
    *(
        Wrong("best_reverse_gaussian", VARIANCE, name, source=algebra(VAR1, f"variance = {new}"))
        for name, new in (
            ("within-only", "1 - 2 / np.pi + 0 * w"),
            ("eps-for-variance", "eps + 0 * w"),
        )
    ),
    # gap
    Wrong("gap", MERGE, "order-never-matters", edit=(WHOLE, "return 0.0")),
    Wrong("gap", GAP, "half-forgotten", edit=(WHOLE, "return np.log(var2 / eps) + average")),
    gap("average-forgotten", (WHOLE, "return 0.5 * np.log(var2 / eps)")),
    gap("half-twice", (WHOLE, f"return ({WHOLE[7:]}) / 2")),
    gap("bits-for-nats", (WHOLE, f"return ({WHOLE[7:]}) / np.log(2)")),
    gap("sign", (WHOLE, f"return -({WHOLE[7:]})")),
    gap("first-term-forgotten", (WHOLE, "return 0.5 * average")),
    gap("half-forgotten", ("0.5 * average", "average")),
    gap("half-twice", ("0.5 * np.log(var2", "0.25 * np.log(var2")),
    gap("sign", ("0.5 * np.log(var2", "-0.5 * np.log(var2")),
    gap("sign-of-average", ("+ 0.5 * average", "- 0.5 * average")),
    gap("", ("8 * np.sqrt(eps)", "8 * eps"), fails=UNITS),
    gap("", ("8 * np.sqrt(eps)", "8.0"), fails=UNITS),
    gap("spacing-forgotten", (" * (x2[1] - x2[0])", "")),
    gap("variance-for-std", ("var2 / eps)", "var2 / eps**2)")),
    gap("variance-for-std", ("var2, reach =", "eps = eps**2\n    var2, reach =")),
    gap(
        "log-outside",
        (
            AVERAGE,
            "average = np.log((marginal_x2(x2, mu, eps) * variance).sum() * (x2[1] - x2[0]))",
        ),
    ),
    gap(
        "model-weighted",
        (GRID, "x2 = sum(mu) / 2 + np.sqrt(var2) * np.linspace(-9, 9, 800)"),
        (
            AVERAGE,
            "average = (norm.pdf(x2, sum(mu) / 2, np.sqrt(var2)) * np.log(variance)).sum()"
            " * (x2[1] - x2[0])",
        ),
    ),
    *(
        gap(
            name,
            (
                WHOLE,
                "q = norm.pdf(x2, sum(mu) / 2, np.sqrt(var2))\n"
                "    first = rel_entr(marginal_x2(x2, mu, eps), q).sum() * (x2[1] - x2[0])\n"
                f"    return {what}",
            ),
        )
        for name, what in (
            ("first-factor-only", "first"),
            ("second-factor-only", f"{WHOLE[7:]} - first"),
        )
    ),
    gap(
        "one-joint-gaussian",
        (WHOLE, "return 0.5 * np.log((var2 - (mu[1] - mu[0]) ** 2 / (2 * np.pi)) / eps)"),
    ),
    gap("grid-not-over-the-bumps", (GRID, "x2 = np.linspace(-4, 4, 4000)"), fails=UNITS),
    gap("constant-gap", (WHOLE, "return 0.4964"), fails=UNITS),
    gap(
        "grid-for-rising-means",
        (GRID, GRID.replace("min(mu)", "mu[0]").replace("max(mu)", "mu[1]")),
    ),
    gap("unweighted-average", (AVERAGE, "average = np.log(variance).mean()")),
    # mixture_reverse
    Wrong(
        "mixture_reverse",
        ONE,
        "spacings-swapped",
        edit=(
            "step1, step2 = x1[1] - x1[0], x2[1] - x2[0]",
            "step2, step1 = x1[1] - x1[0], x2[1] - x2[0]",
        ),
    ),
    Wrong(
        "mixture_reverse", ONE, "spacings-swapped", edit=(LOST1, LOST1.replace("step1", "step2"))
    ),
    *(
        Wrong(
            "mixture_reverse",
            ONE,
            "one-mixture-for-all-x2",
            edit=(LOST1, LOST1.replace("fit_mixture(p1,", f"fit_mixture({average},")),
        )
        for average in ("p1.mean(0)", "norm.pdf(x1)")
    ),
    Wrong("mixture_reverse", TWO, "two-components-suffice", edit=(LOST, "return lost2")),
    Wrong(
        "mixture_reverse",
        ONE,
        "second-factor-only",
        edit=(LOST, "return (p2 * lost1).sum() * step2"),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "nothing-lost",
        edit=("step1, step2 = x1[1] - x1[0], x2[1] - x2[0]", "step1 = step2 = x2[0] - x2[0]"),
    ),
    Wrong("mixture_reverse", ONE, "unweighted-average", edit=(LOST, "return lost2 + lost1.mean()")),
    Wrong(
        "mixture_reverse",
        ONE,
        "spacing-forgotten",
        edit=(LOST, "return lost2 + (p2 * lost1).sum()"),
    ),
    Wrong(
        "mixture_reverse",
        TWO,
        "components-ignored",
        edit=(
            (LOST2, LOST2.replace("components", "1")),
            (LOST1, LOST1.replace("components", "1")),
        ),
    ),
    Wrong(
        "mixture_reverse",
        TWO,
        "mixture-in-one-factor",
        edit=(LOST1, LOST1.replace("components", "1")),
    ),
    Wrong(
        "mixture_reverse",
        TWO,
        "mixture-in-one-factor",
        edit=(LOST2, LOST2.replace("components", "1")),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "reversed-kl",
        edit=(
            (LOST2, "lost2 = rel_entr(fit_mixture(p2, x2, components), p2).sum() * step2"),
            (LOST1, "lost1 = rel_entr(fit_mixture(p1, x1, components), p1).sum(1) * step1"),
        ),
    ),
    Wrong(
        "mixture_reverse",
        TWO,
        "two-components-suffice",
        edit=(LOST, "return gap(mu, eps) if components == 1 else 0.0"),
    ),
    Wrong(
        "mixture_reverse",
        TWO,
        edit=(LOST, "return gap(mu, eps) / components"),
    ),
    Wrong("mixture_reverse", ONE, "bits-for-nats", edit=(LOST, f"return ({LOST[7:]}) / np.log(2)")),
    Wrong("mixture_reverse", ONE, "sign", edit=(LOST, f"return -({LOST[7:]})")),
    Wrong("mixture_reverse", ONE, "spacing-forgotten", edit=(".sum(1) * step1", ".mean(1)")),
    Wrong("mixture_reverse", ONE, "spacing-forgotten", edit=(LOST2, LOST2[: -len(" * step2")])),
    Wrong(
        "mixture_reverse",
        MORE,
        "components-capped",
        edit=("x1, x2 = grids", "components = min(components, 2)\n    x1, x2 = grids"),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "other-defaults",
        edit=("eps=0.04", "eps=0.2"),
    ),
    # initial_bias
    *(
        Wrong("initial_bias", LOG_ODDS, misconception, edit=(FREQUENCY, given))
        for misconception, given in {
            "one-of-each-added": "frequency = (images.sum(0) + 1) / (len(images) + 2)",
            "added-above-only": "frequency = (images.sum(0) + 0.5) / len(images)",
            "other-images-added": "frequency = (images.sum(0) + 1) / (len(images) + 1)",
            "added-below-only": "frequency = images.sum(0) / (len(images) + 1)",
            "over-everything": "frequency = (images.sum() + 0.5) / (images.numel() + 1)",
            "over-the-pixels": "frequency = (images.sum(1) + 0.5) / (images.shape[1] + 1)",
        }.items()
    ),
    *(
        Wrong("initial_bias", LOG_ODDS, misconception, edit=(LOGIT, given))
        for misconception, given in {
            "frequency": "return frequency",
            "log-frequency": "return frequency.log()",
            "odds": "return frequency / (1 - frequency)",
            "sigmoid": "return torch.sigmoid(frequency)",
            "white-for-ink": "return -torch.logit(frequency)",
            "bits-for-nats": "return torch.logit(frequency) / np.log(2)",
        }.items()
    ),
    Wrong("initial_bias", LOG_ODDS, edit=(LOGIT, "return torch.zeros_like(frequency)")),
    Wrong("initial_bias", EDGES, "nothing-added", edit=(FREQUENCY, "frequency = images.mean(0)")),
    Wrong("initial_bias", EDGES, edit=(LOGIT, "return torch.logit(images.mean(0), 1e-6)")),
    *written(
        "initial_bias",
        "initial_bias(images)",
        (
            LOG_ODDS,
            "nothing-added",
            """
return torch.logit(images.mean(0).clamp(1e-3, 1 - 1e-3))
""",
        ),
        (
            "what it is given stays as it was",
            "arguments-overwritten",
            """
images += 0.5 / len(images)
return torch.logit(images.sum(0) / (len(images) + 1))
""",
        ),
        (
            LOG_ODDS,
            "over-everything",
            """
f = (images.sum() + 0.5) / (images.numel() + 1)
return torch.logit(f).expand(images.shape[1])
""",
        ),
        (
            LOG_ODDS,
            "over-everything",
            """
f = (images.sum(0) + 0.5) / (images.numel() + 1)
return torch.logit(f)
""",
        ),
        (
            LOG_ODDS,
            "mean-taken-away",
            """
b = torch.logit((images.sum(0) + 0.5) / (len(images) + 1))
return b - b.mean()
""",
        ),
        (
            LOG_ODDS,
            "other-images-added",
            """
return torch.logit((images.sum(0) + 0.25) / (len(images) + 0.5))
""",
        ),
        (
            EDGES,
            "clamped",
            """
return torch.logit((images.sum(0) + 0.5) / (len(images) + 1)).clamp(-4, 4)
""",
        ),
        (
            LOG_ODDS,
            "row-for-vector",
            """
return torch.logit((images.sum(0, keepdim=True) + 0.5) / (len(images) + 1))
""",
        ),
        (
            LOG_ODDS,
            "added-to-frequencies",
            """
ink, white = images.mean(0) + 0.5, (1 - images).mean(0) + 0.5
return torch.log(ink / white)
""",
        ),
        (
            EDGES,
            "clamped",
            """
f = (images.sum(0) + 0.5) / (len(images) + 1)
return torch.clamp(torch.log(f) - torch.log1p(-f), -6, 6)
""",
        ),
    ),
    Wrong("initial_bias", LOG_ODDS, edit=(FREQUENCY, "images = images[:100]\n    " + FREQUENCY)),
    Wrong("reverse_posterior", BAYES, "std-for-variance", edit=("/ eps", "/ np.sqrt(eps)")),
    Wrong("reverse_posterior", BAYES, "half-twice", edit=("/ eps", "/ (2 * eps)")),
    Wrong(
        "reverse_posterior",
        FAR,
        "overflow",
        edit=(
            "side = expit(np.where(x1 > 0, log_odds, -log_odds))",
            "with np.errstate(all='ignore'):\n"
            "        w = np.exp(log_odds) / (1 + np.exp(log_odds))\n"
            "    side = np.where(x1 > 0, w, 1 - w)",
        ),
    ),
    *written(
        "best_reverse_gaussian",
        "best_reverse_gaussian(mu, eps)",
        (
            MEAN,
            "quadrature-across-the-jump",
            """
def conditional(x2):  # a grid that ends where the bell has not
    x1 = np.linspace(-3, 3, 601)
    p = reverse_posterior(x1, np.asarray(x2, float)[..., None], mu, eps) * (x1[1] - x1[0])
    mean = (p * x1).sum(-1)
    return mean, (p * x1**2).sum(-1) - mean**2

return sum(mu) / 2, eps + (mu[1] - mu[0]) ** 2 / 4, conditional
""",
        ),
        (
            MOMENTS,
            "corrected-for-a-sample",
            """
def conditional(x2):
    t = (mu[1] - mu[0]) * (x2 - np.mean(mu)) / eps
    m = np.sqrt(2 / np.pi) * np.tanh(t / 2)
    return m, 1 - m**2
return np.mean(mu), eps + np.var(mu, ddof=1), conditional
""",
        ),
        (
            MEAN,
            "log-odds-doubled",
            """
def conditional(x2):
    t = (mu[1] - mu[0]) * (x2 - np.mean(mu)) / eps
    m = np.sqrt(2 / np.pi) * np.tanh(t)
    return m, 1 - m**2
return np.mean(mu), eps + np.var(mu), conditional
""",
        ),
        (
            MOMENTS,
            "first-mean-taken-for-0",
            """
def conditional(x2):
    t = (mu[1] - mu[0]) * (x2 - np.mean(mu)) / eps
    m = np.sqrt(2 / np.pi) * np.tanh(t / 2)
    return m, 1 - m**2
return mu[1] / 2, eps + mu[1] ** 2 / 4, conditional
""",
        ),
        (
            MOMENTS,
            "first-mean-taken-for-0",
            """
def conditional(x2):
    t = (mu[1] - mu[0]) * (np.asarray(x2) - sum(mu) / 2) / eps
    m = np.sqrt(2 / np.pi) * np.tanh(t / 2)
    return m, 1 - m**2
return mu[1] / 2, eps + (mu[1] - mu[0]) ** 2 / 4, conditional
""",
        ),
    ),
    *written(
        "marginal_x2",
        "marginal_x2(x2, mu, eps)",
        (
            BUMPS,
            "product-of-bumps",
            """
a, b = (norm.pdf(x2, m, np.sqrt(eps)) for m in mu)
return np.sqrt(a * b)
""",
        ),
        (
            BUMPS,
            "sign-of-x2",
            """
return norm.pdf(x2, np.where(np.asarray(x2) > 0, mu[1], mu[0]), np.sqrt(eps))
""",
        ),
        (
            BUMPS,
            "normalized-over-what-is-given",
            """
s = np.sqrt(eps)
d = norm.pdf(x2, mu[0], s) + norm.pdf(x2, mu[1], s)
return d / np.sum(d)
""",
        ),
        (
            BUMPS,
            "distribution-for-density",
            """
return np.mean([norm.cdf(x2, m, np.sqrt(eps)) for m in mu], axis=0)
""",
        ),
        (
            BUMPS,
            "weights-from-the-means",
            """
w = norm.cdf(0, mu[0], 1)
s = np.sqrt(eps)
return w * norm.pdf(x2, mu[0], s) + (1 - w) * norm.pdf(x2, mu[1], s)
""",
        ),
        (
            BUMPS,
            "weights-from-the-means",
            """
sd = np.sqrt(eps)
w = norm.cdf(0, mu[0], sd)
return w * norm.pdf(x2, mu[0], sd) + (1 - w) * norm.pdf(x2, mu[1], sd)
""",
        ),
        (
            BUMPS,
            "normalized-over-what-is-given",
            """
heights = sum(np.exp(-((x2 - m) ** 2) / (2 * eps)) for m in mu)
return heights / np.sum(heights)
""",
        ),
        (
            BUMPS,
            "nearest-bump-only",
            """
x2 = np.asarray(x2, float)
near = np.where(np.abs(x2 - mu[0]) <= np.abs(x2 - mu[1]), mu[0], mu[1])
return norm.pdf(x2, near, np.sqrt(eps))
""",
        ),
        (
            BUMPS,
            "nearest-bump-only",
            """
center = np.where(np.asarray(x2) > np.mean(mu), mu[1], mu[0])
return norm.pdf(x2, center, np.sqrt(eps)) / 2
""",
        ),
    ),
    Wrong(
        "reverse_posterior",
        BAYES,
        "distance-forgotten",
        edit=("(mu[1] - mu[0]) * (x2 - (mu[0] + mu[1]) / 2)", "(x2 - (mu[0] + mu[1]) / 2)"),
    ),
    Wrong(
        "initial_bias",
        LOG_ODDS,
        "over-everything",
        edit=("len(images)", "images.shape[1]"),
    ),
    Wrong("gap", GAP, "half-bell-everywhere", edit=(AVERAGE, "average = np.log(1 - 2 / np.pi)")),
    Wrong(
        "gap",
        GAP,
        "entropy-forgotten",
        edit=(WHOLE, "return 0.5 * np.log(var2) + 0.5 * average + np.log(2 * np.pi * np.e)"),
    ),
    Wrong(
        "gap",
        GAP,
        "grid-not-over-the-bumps",
        edit=("reach = 8 * np.sqrt(eps)", "reach = 8 * eps"),
    ),
    Wrong(
        "gap",
        GAP,
        "model-weighted",
        edit=(
            (
                "_, var2, conditional",
                "mean2, var2, conditional",
            ),
            ("marginal_x2(x2, mu, eps)", "norm.pdf(x2, mean2, np.sqrt(var2))"),
        ),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "absolute-terms",
        edit=(
            (LOST2, LOST2.replace("rel_entr(", "np.abs(rel_entr(").replace(").sum()", ")).sum()")),
            (
                LOST1,
                LOST1.replace("rel_entr(", "np.abs(rel_entr(").replace(").sum(1)", ")).sum(1)"),
            ),
        ),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "model-weighted",
        edit=(LOST, "return lost2 + (fit_mixture(p2, x2, components) * lost1).sum() * step2"),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "unweighted-average",
        edit=(LOST, "return lost2 + lost1.sum() * step2"),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "components-off-by-one",
        edit=(
            (LOST2, LOST2.replace("components", "components + 1")),
            (LOST1, LOST1.replace("components", "components + 1")),
        ),
    ),
    Wrong(
        "mixture_reverse",
        TWO,
        "gap-scaled",
        source="""
def mixture_reverse(components, mu=(0.0, 1.0), eps=0.04):
    return gap(mu, eps) / components**2
""",
    ),
    Wrong(
        "mixture_reverse",
        TWO,
        "gap-scaled",
        source="""
def mixture_reverse(components, mu=(0.0, 1.0), eps=0.04):
    return gap(mu, eps) / components
""",
    ),
    # what other people write
    Wrong(
        "marginal_x2",
        BUMPS,
        "sum-of-variables",
        edit=(MIXED, "return norm.pdf(x2, (mu[0] + mu[1]) / 2, np.sqrt(1 + eps))"),
    ),
    Wrong("marginal_x2", BUMPS, "world-ignored", edit=(SIGMA, f"mu = (0, 1)\n    {SIGMA}")),
    Wrong("reverse_posterior", BAYES, "middle-elsewhere", edit=("(mu[0] + mu[1]) / 2", "0.5")),
    Wrong(
        "reverse_posterior",
        BAYES,
        "distance-without-sign",
        edit=("(mu[1] - mu[0])", "abs(mu[1] - mu[0])"),
    ),
    Wrong(
        "reverse_posterior",
        BAYES,
        "upper-side-everywhere",
        edit=("expit(np.where(x1 > 0, log_odds, -log_odds))", "expit(log_odds)"),
    ),
    Wrong(
        "reverse_posterior",
        BAYES,
        "more-likely-side",
        edit=(
            "expit(np.where(x1 > 0, log_odds, -log_odds))",
            "(np.where(x1 > 0, log_odds, -log_odds) > 0)",
        ),
    ),
    Wrong(
        "best_reverse_gaussian",
        MOMENTS,
        "difference-for-sum",
        edit=("mean2 = (mu[0] + mu[1]) / 2", "mean2 = (mu[1] - mu[0]) / 2"),
    ),
    *(
        Wrong(
            "best_reverse_gaussian",
            MEAN,
            name,
            edit=(
                "mean = moment(1)\n        return mean, moment(2) - mean**2",
                "w = expit((mu[1] - mu[0]) * (x2 - mean2) / eps)\n"
                f"        mean = {mean}\n        return mean, 1 - mean**2",
            ),
        )
        for name, mean in (
            ("mean-halved", "(w - 0.5) * np.sqrt(2 / np.pi)"),
            ("root-forgotten", "(2 * w - 1) * 2 / np.pi"),
        )
    ),
    Wrong(
        "gap",
        GAP,
        "grid-not-over-the-bumps",
        edit=(GRID, "x2 = np.linspace(min(mu), max(mu), 400)"),
    ),
    Wrong(
        "gap",
        GAP,
        "variance-at-the-means",
        edit=(AVERAGE, "average = np.log(conditional(np.array(mu, float))[1]).mean()"),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "world-ignored",
        edit=("x1, x2 = grids(mu, eps)", "mu, eps = (0, 1), 0.04\n    x1, x2 = grids(mu, eps)"),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "loss-halved",
        edit=(LOST, "return (lost2 + (p2 * lost1).sum() * step2) / 2"),
    ),
    *(
        Wrong(
            "mixture_reverse",
            ONE,
            name,
            edit=(
                ("rel_entr(p2, fit_mixture(p2, x2, components))", of.replace("P", "p2, x2")),
                ("rel_entr(p1, fit_mixture(p1, x1, components))", of.replace("P", "p1, x1")),
            ),
        )
        for name, of in (
            ("squared-error", "(lambda p, x: (p - fit_mixture(p, x, components)) ** 2)(P)"),
            (
                "cross-entropy-for-kl",
                "(lambda p, x: -p * np.log(fit_mixture(p, x, components)))(P)",
            ),
        )
    ),
    Wrong(
        "initial_bias",
        LOG_ODDS,
        "other-images-added",
        edit=("len(images) + 1", "len(images) + 0.5"),
    ),
    Wrong(
        "initial_bias",
        LOG_ODDS,
        "log-odds-halved",
        edit=(LOGIT, "return torch.atanh(2 * frequency - 1)"),
    ),
    *written(
        "marginal_x2",
        "marginal_x2(x2, mu, eps)",
        (
            BUMPS,
            "not-normalized",
            """
x1 = np.linspace(-6, 6, 2001)
joint = norm.pdf(x1) * norm.pdf(
    np.asarray(x2)[..., None], np.where(x1 > 0, mu[1], mu[0]), np.sqrt(eps)
)
return joint.sum(-1)
""",
        ),
    ),
    Wrong(
        "reverse_posterior",
        BAYES,
        "not-normalized",
        edit=(PIECES, "return 2 * np.exp(-(np.asarray(x1) ** 2) / 2) * side / 3"),
    ),
    Wrong(
        "best_reverse_gaussian",
        MEAN,
        "not-normalized",
        source="""
def best_reverse_gaussian(mu, eps):
    x1 = np.linspace(-8, 8, 4001)

    def conditional(x2):
        p = reverse_posterior(x1, np.asarray(x2)[..., None], mu, eps)
        mean = (x1 * p).sum(-1)
        return mean, (x1**2 * p).sum(-1) - mean**2

    return np.mean(mu), eps + np.var(mu), conditional
""",
    ),
    Wrong(
        "gap",
        GAP,
        "mean-for-sum",
        edit=(
            AVERAGE,
            "average = np.mean(marginal_x2(x2, mu, eps) * np.log(variance))",
        ),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        "components-off-by-one",
        edit=("fit_mixture(p1, x1, components)", "fit_mixture(p1, x1, components + 1)"),
    ),
    Wrong(
        "mixture_reverse",
        ONE,
        edit=("grids(mu, eps)", "grids((0.0, 1.0), eps)"),
    ),
    Wrong(
        "initial_bias",
        LOG_ODDS,
        "another-link",
        edit=(LOGIT, "return torch.special.ndtri(frequency)"),
    ),
    Wrong(
        "reverse_posterior",
        BAYES,
        "sign-of-x2",
        edit=("np.where(x1 > 0,", "np.where(x2 > 0,"),
    ),
    Wrong("reverse_posterior", BAYES, "bell-of-x2", edit=("norm.pdf(x1)", "norm.pdf(x2)")),
    Wrong("best_reverse_gaussian", MOMENTS, "sum-of-variables", edit=(WITHIN, "1 + eps")),
    Wrong(
        "best_reverse_gaussian",
        MEAN,
        "mean-and-variance-swapped",
        edit=(PAIR, "return moment(2) - mean**2, mean"),
    ),
    *(
        Wrong(
            "best_reverse_gaussian",
            MOMENTS,
            "one-mean-alone",
            edit=("mean2 = (mu[0] + mu[1]) / 2", f"mean2 = mu[{which}]"),
        )
        for which in (0, 1)
    ),
    Wrong(
        "best_reverse_gaussian",
        MOMENTS,
        "std-for-variance",
        edit=(WITHIN, WITHIN.replace("eps", "np.sqrt(eps)")),
    ),
)
