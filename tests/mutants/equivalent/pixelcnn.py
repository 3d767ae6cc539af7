"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "09_pixelcnn"

_LAYOUT = "The numbers lie in memory in another order, and are the same."
_OVERWRITTEN = "Every entry is written before anything reads it."
_GIVEN = "The lesson hands the constructor out, and asks for no default of it."
_TWICE = (
    "The last row is drawn once too often and then drawn anew: the law of the images is the same."
)
_ODD = "Kernels have odd sides: from the end the middle has this number."
_ALIKE = "All images of a batch have one size."
_SINGLE = "The axis has one entry, which is also its last."
_LAST = "The axis counted from the end is the same one."

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    ("BlockMemory", "a, b = u[:, :, 0].chunk(2, dim=1)", "0", "-1"): _SINGLE,
    ("BlockMemory", "a, b = w.chunk(2, dim=1)", "w.chunk(2, dim=1)", "w.chunk(2, dim=-1)"): _LAST,
    (
        "BlockMemory",
        "kernel = (block.across.weight * block.across.mask)[:, :, 0, : p + 1]",
        "0",
        "-1",
    ): _SINGLE,
    ("BlockMemory", "self.above = self.block.down(u)[:, :, 0]", "0", "-1"): _SINGLE,
    (
        "BlockMemory",
        "self.kernel = kernel.flatten(1).T.contiguous()",
        "kernel.flatten(1).T.contiguous()",
        "kernel.flatten(1).T",
    ): _LAYOUT,
    ("BlockMemory", "self.left.zero_()", "self.left.zero_()", ""): _OVERWRITTEN,
    (
        "BlockMemory",
        "self.mixing = (block.out.weight * block.out.mask)[:, :, 0, 0].T.contiguous()",
        "(block.out.weight * block.out.mask)[:, :, 0, 0].T.contiguous()",
        "(block.out.weight * block.out.mask)[:, :, 0, 0].T",
    ): _LAYOUT,
    (
        "BlockMemory",
        "self.mixing = (block.out.weight * block.out.mask)[:, :, 0, 0].T.contiguous()",
        "0",
        "-1",
    ): _SINGLE,
    (
        "BlockMemory",
        "self.rows = torch.cat([self.rows[:, :, 1:], F.pad(v, (p, p))[:, :, None]], dim=2)",
        "2",
        "-2",
    ): _LAST,
    (
        "GatedBlock",
        "def __init__(self, kind, channels_in, channels, kernel_size, colors=1):",
        "1",
        "-1",
    ): _GIVEN,
    (
        "MaskedConv2d",
        "def __init__(self, kind, channels_in, channels_out, kernel_size, colors=1):",
        "1",
        "-1",
    ): _GIVEN,
    (
        "PixelCNN",
        "empty = torch.zeros(size, dtype=torch.long, device=where)",
        "torch.zeros",
        "torch.ones",
    ): _OVERWRITTEN,
    ("PixelCNN", "for r in range(rows, x.shape[2]):", "2", "-2"): _LAST,
    ("PixelCNN", "return self.inpaint(empty, 0, generator)", "0", "-1"): _TWICE,
    ("PixelCNN", "return self.nll(x) / (math.log(2) * x[0].numel())", "0", "-1"): _ALIKE,
    ("PixelCNN", "return self.pixel_nll(x).flatten(1).sum(1)", "1", "-1"): _LAST,
    (
        "PixelCNN",
        "return y.view(len(x), self.levels, self.colors, *x.shape[2:])",
        "2",
        "-2",
    ): _LAST,
    ("conv_mask", "mask[:, :, : height // 2] = 1", "2", "-2"): _ODD,
    ("conv_mask", "mask[:, :, height // 2, : width // 2] = 1", "2", "-2"): _ODD,
    (
        "conv_mask",
        "mask[:, :, height // 2, : width // 2] = 1",
        ":width // 2",
        ":width // 2 + 1",
    ): _OVERWRITTEN,
    ("conv_mask", "mask[:, :, height // 2, width // 2] = middle.float()", "2", "-2"): _ODD,
    (
        "conv_mask",
        "def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):",
        "1",
        "-1",
    ): ("Whatever number is divided by 1 or by −1, the remainder is 0: one color."),
    (
        "conv_mask",
        "mask[:, :, height // 2, width // 2] = middle.float()",
        "middle.float",
        "middle.half",
    ): ("Zeros and ones are the same in half precision, and the mask itself is in single."),
}
