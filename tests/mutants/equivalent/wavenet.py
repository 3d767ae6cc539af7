"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "10_wavenet"

_A_TENSOR = "What comes is a tensor already."
_ONE_ITEM = "Of the one size of a convolution over time the last is the first."
_PAST = "past = (self.kernel_size[0] - 1) * self.dilation[0]"
_LONG = "return torch.floor(mu * (y + 1) / 2 + 0.5).long()"
_GIVEN = (
    "The constructor is given, and no label reaches a model without labels: the vectors that it "
    "then has are never read."
)
_TAPS = "columns = torch.cat(taps, dim=2) if k > 1 else x"
_SIZES = "k, d = self.conv.kernel_size[0], self.conv.dilation[0]"
_CAT = "torch.cat(taps, dim=2)"
_ONE_COLUMN = "With kernel 1 there is one tap, x, and put together with nothing it is x."
_IN_A_ROW = "The numbers of a row come in the same order."

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    ("mu_law_encode", "x = torch.as_tensor(x).clamp(-1, 1)", "torch.as_tensor(x)", "x"): _A_TENSOR,
    ("mu_law_encode", _LONG, "torch.floor(mu * (y + 1) / 2 + 0.5)", "mu * (y + 1) / 2 + 0.5"): (
        "Of what is at least 0.5, the cut of .long() is the floor."
    ),
    (
        "mu_law_decode",
        "y = 2 * torch.as_tensor(codes) / mu - 1",
        "torch.as_tensor(codes)",
        "codes",
    ): _A_TENSOR,
    ("CausalConv1d", _PAST, "0", "-1"): _ONE_ITEM,
    ("QueuedConv1d", _SIZES, "0", "-1"): _ONE_ITEM,
    ("QueuedConv1d", _TAPS, f"{_CAT} if k > 1 else x", _CAT): _ONE_COLUMN,
    ("QueuedConv1d", _TAPS, "k > 1", "k >= 1"): _ONE_COLUMN,
    ("QueuedConv1d", _TAPS, "1", "0"): _ONE_COLUMN,
    ("QueuedConv1d", _TAPS, "1", "-1"): _ONE_COLUMN,
    ("QueuedConv1d", _TAPS, _CAT, "torch.cat(taps, dim=-1)"): "The last of three axes is axis 2.",
    ("QueuedConv1d", _TAPS, "torch.cat", "torch.stack"): _IN_A_ROW,
    (
        "generate",
        "codes = torch.zeros(rows, count, dtype=torch.int64, device=model.embed.weight.device)",
        "torch.zeros",
        "torch.ones",
    ): "A code that is not drawn yet stands last in its window, and the model does not see it.",
    (
        "generate",
        "window = codes[:, max(0, t - model.field) : t + 1]",
        "max(0, t - model.field)",
        "max(t - model.field, 0)",
    ): "Of two numbers the larger one is the larger one.",
    (
        "generate_fast",
        "for name, layer in list(part.named_children()):",
        "list(part.named_children())",
        "part.named_children()",
    ): "A child is replaced under its name: the walk over the names is not disturbed.",
    (
        "generate_fast",
        "code = draw_codes(fast.stack(x, label)[:, :, 0], generator)",
        "0",
        "-1",
    ): "Of one column the first is the last.",
    (
        "generate_fast",
        "return torch.stack(codes, dim=1)",
        "torch.stack(codes, dim=1)",
        "torch.stack(codes, dim=-1)",
    ): "The last of two axes is axis 1.",
    (
        "ResidualBlock",
        "def __init__(self, channels, skip_channels, kernel_size, dilation, labels=0):",
        "0",
        "1",
    ): _GIVEN,
    (
        "ResidualBlock",
        "self.condition = nn.Embedding(labels, 2 * channels) if labels else None",
        "nn.Embedding(labels, 2 * channels) if labels else None",
        "nn.Embedding(labels, 2 * channels)",
    ): _GIVEN,
    (
        "WaveNet",
        "def __init__(self, levels, channels, skip_channels, kernel_size, dilations, labels=0):",
        "0",
        "1",
    ): _GIVEN,
    (
        "WaveNet",
        "self.head = nn.Sequential(",
        "nn.Sequential(nn.ReLU(), nn.Conv1d(skip_channels, skip_channels, 1), nn.ReLU(), ",
        "nn.Sequential(nn.Conv1d(skip_channels, skip_channels, 1), nn.ReLU(), nn.ReLU(), ",
    ): "The constructor is given, and the head is used as it is.",
    (
        "WaveNet",
        "x = self.embed(codes).transpose(1, 2)",
        "self.embed(codes).transpose(1, 2)",
        "self.embed(codes).transpose(2, 1)",
    ): "Two axes change places, whichever is named first.",
    ("WaveNet", "return each[:, given:].sum(1)", "1", "-1"): "The last of two axes is axis 1.",
}
