"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "04_nade"

_LAST = "Stacked vectors make two axes: axis 1 is the last one."

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "nade_scan",
        "return (torch.sigmoid(a) * V).sum(dim=2) + b",
        "(torch.sigmoid(a) * V).sum(dim=2)",
        "(torch.sigmoid(a) * V).sum(dim=-1)",
    ): "The last of three axes is axis 2.",
    (
        "nade_naive",
        "return torch.stack(logits, dim=1)",
        "torch.stack(logits, dim=1)",
        "torch.stack(logits, dim=-1)",
    ): _LAST,
    (
        "nade",
        "return torch.stack(logits, dim=1)",
        "torch.stack(logits, dim=1)",
        "torch.stack(logits, dim=-1)",
    ): _LAST,
    (
        "sample",
        "return torch.stack(bits, dim=1)",
        "torch.stack(bits, dim=1)",
        "torch.stack(bits, dim=-1)",
    ): _LAST,
    (
        "autoencoder_dependencies",
        "return torch.stack(columns, dim=1)",
        "torch.stack(columns, dim=1)",
        "torch.stack(columns, dim=-1)",
    ): _LAST,
    (
        "autoencoder_dependencies",
        "turned[:, j] = 1 - turned[:, j]",
        "1 - turned[:, j]",
        "1",
    ): "All vectors against those whose bit j is 1: every pair that differs in bit j is compared.",
}
