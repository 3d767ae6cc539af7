"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "11_recurrent"

_LOSSES = 'losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")'
_SUMMED = "torch.where(place <= ends, losses, 0.0).sum(dim=1)"

_READ = "(x @ W.T + b).chunk(3, dim=1)"
_KNOWN = "(h @ U.T + c).chunk(3, dim=1)"
_TWO_AXES = "Of (B, 3H) the last axis is axis 1."

_DRAWN = "x = torch.multinomial(probs, 1, generator=generator)[:, 0]"

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
    (
        "sample",
        "probs = torch.softmax(logits(h), dim=-1)",
        "1",
        "-1",
    ): "Of (B, V) the last axis is axis 1.",
    (
        "sample",
        _DRAWN,
        "1",
        "2",
    ): "Of two symbols that are drawn without putting back, the first has the same law.",
    ("sample", _DRAWN, "0", "-1"): "Of one symbol the first is the last.",
    (
        "sample",
        "return torch.stack(texts, dim=1)",
        "torch.stack(texts, dim=1)",
        "torch.stack(texts, dim=-1)",
    ): "What is stacked behind one axis is stacked along axis 1.",
}
