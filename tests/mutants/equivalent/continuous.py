"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "07_continuous"

_WEIGHTS = "F.log_softmax(logits, dim=-1)"
_LAST = "Of (B, K) the last axis is axis 1."
_IMPLICIT = "Without dim, one axis is taken along itself and two along the last: it only warns."
_MIXED = "return torch.logsumexp(F.log_softmax(logits, dim=-1) + log_mass, dim=-1)"
_PRICE = "return -torch.logsumexp(F.log_softmax(logits, dim=-1) + log_densities, dim=-1)"
_UNIFORM = "torch.rand(count, generator=generator, dtype=mu.dtype, device=mu.device)"
_LOGISTIC = "mu[chosen] + scale[chosen] * torch.logit(u)"
_PARTS = "log_densities = -gaussian_nll(x[:, None], mu, sigma)"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    ("gaussian_nll", "z = (x - mu) / sigma", "x - mu", "mu - x"): "z is squared.",
    (
        "mixture_nll",
        _PARTS,
        "gaussian_nll(x[:, None], mu, sigma)",
        "gaussian_nll(mu, x[:, None], sigma)",
    ): "A Gaussian's x and center may change places.",
    ("mixture_nll", _PRICE, _WEIGHTS, "F.log_softmax(logits)"): _IMPLICIT,
    ("mixture_nll", _PRICE, "1", "-1"): _LAST,
    ("discretized_logistic_mixture", _MIXED, _WEIGHTS, "F.log_softmax(logits)"): _IMPLICIT,
    ("discretized_logistic_mixture", _MIXED, "1", "-1"): _LAST,
    (
        "sample",
        "chosen = torch.multinomial("
        "logits.softmax(-1), count, replacement=True, generator=generator)",
        "1",
        "0",
    ): "The logits have one axis.",
    (
        "sample",
        f"u = {_UNIFORM}",
        _UNIFORM,
        "torch.rand(count, generator=generator, device=mu.device)",
    ): "Uniform numbers with 24 bits are uniform enough for levels.",
    (
        "sample",
        f"x = {_LOGISTIC}",
        _LOGISTIC,
        "mu[chosen] - scale[chosen] * torch.logit(u)",
    ): "u and 1 − u have the same law.",
    ("pit", "return (logits.softmax(-1) * below).sum(-1)", "1", "-1"): _LAST,
}
