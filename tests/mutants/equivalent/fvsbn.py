"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "03_fvsbn"

_UNSEEN = "What is not drawn yet may hold anything: no logit looks at it."

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "nll",
        'return F.binary_cross_entropy_with_logits(score, x, reduction="none").sum(dim=1)',
        "F.binary_cross_entropy_with_logits(score, x, reduction='none').sum(dim=1)",
        "F.binary_cross_entropy_with_logits(score, x, reduction='none').sum(dim=-1)",
    ): "The last of two dimensions is dimension 1.",
    (
        "sample",
        "x = torch.zeros(count, len(bias), device=bias.device)",
        "torch.zeros",
        "torch.ones",
    ): _UNSEEN,
    (
        "complete",
        "x = torch.zeros(count, len(bias), device=bias.device)",
        "torch.zeros",
        "torch.ones",
    ): _UNSEEN,
}
