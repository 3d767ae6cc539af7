"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "08_pixelcnn"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "conv_mask",
        "def conv_mask(kind, kernel_size, channels_in, channels_out, colours=1):",
        "1",
        "-1",
    ): "Whatever number is divided by 1 or by −1, the remainder is 0: one color.",
    (
        "conv_mask",
        "mask[:, :, height // 2, width // 2] = middle.float()",
        "middle.float",
        "middle.half",
    ): "Zeros and ones are the same in half precision, and the mask itself is in single.",
}
