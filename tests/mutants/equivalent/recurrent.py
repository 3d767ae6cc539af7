"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "14_recurrent"

_LOSSES = 'losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")'
_SUMMED = "torch.where(place <= ends, losses, 0.0).sum(dim=1)"

_READ = "(x @ W.T + b).chunk(3, dim=1)"
_KNOWN = "(h @ U.T + c).chunk(3, dim=1)"
_TWO_AXES = "Of (B, 3H) the last axis is axis 1."

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "nll",
        _LOSSES,
        "logits.transpose(1, 2)",
        "logits.transpose(2, 1)",
    ): "A transposition of two axes may name them in either order.",
    (
        "nll",
        f"return {_SUMMED}",
        _SUMMED,
        "torch.where(place <= ends, losses, 0.0).sum(dim=-1)",
    ): "Of (B, T + 1) the last axis is axis 1.",
    (
        "gru_step",
        f"r, z, n = {_READ}",
        _READ,
        "(x @ W.T + b).chunk(3, dim=-1)",
    ): _TWO_AXES,
    (
        "gru_step",
        f"r_h, z_h, n_h = {_KNOWN}",
        _KNOWN,
        "(h @ U.T + c).chunk(3, dim=-1)",
    ): _TWO_AXES,
    (
        "scan",
        "while distance < a.shape[1]:",
        "distance < a.shape[1]",
        "distance <= a.shape[1]",
    ): "A round over a distance of all T places finds nothing to join.",
}
