"""Right answers to lesson 09, PixelCNN, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "conv_mask",
        "one weight at a time, in Python",
        source="""
def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    now = (height // 2) * width + width // 2
    mask = torch.ones(channels_out, channels_in, height, width)
    for o in range(channels_out):
        for i in range(channels_in):
            for place in range(height * width):
                first, second = o % colors, i % colors
                later = second >= first if kind == "A" else second > first
                if place > now or (place == now and later):
                    mask[o, i, place // width, place % width] = 0
    return mask
""",
    ),
    Right(
        "conv_mask",
        "numpy, bools, one long row",
        source="""
import numpy as np


def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):
    h, w = np.broadcast_to(kernel_size, 2)
    now = h * w // 2
    mask = np.zeros((channels_out, channels_in, h * w), dtype=bool)
    mask[..., :now] = True
    gap = np.subtract.outer(np.arange(channels_out) % colors, np.arange(channels_in) % colors)
    mask[..., now] = gap > 0 if kind == "A" else gap >= 0
    return torch.from_numpy(mask.reshape(channels_out, channels_in, h, w)).float()
""",
    ),
    Right(
        "MaskedConv2d",
        "masked_fill on a bool buffer, super's own convolution",
        edit=(
            (
                'self.register_buffer("mask", mask)',
                'self.register_buffer("mask", mask.bool())',
            ),
            (
                "return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)",
                "weight = self.weight.masked_fill(~self.mask, 0.0)\n"
                "        return self._conv_forward(x, weight, self.bias)",
            ),
        ),
    ),
    Right(
        "MaskedConv2d",
        "the weight itself masked on every call, as much published code has it",
        edit=(
            "return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)",
            "self.weight.data *= self.mask\n        return super().forward(x)",
        ),
    ),
    Right(
        "MaskedConv2d",
        "a convolution by unfolding",
        edit=(
            "return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)",
            "patches = F.unfold(x, self.kernel_size, padding=self.padding)  # (B, C h w, H W)\n"
            "        weight = (self.weight * self.mask).flatten(1)\n"
            "        y = weight @ patches + self.bias[:, None]\n"
            "        return y.view(len(x), -1, *x.shape[2:])",
        ),
    ),
    Right(
        "receptive_field",
        "a picture that is convolved",
        source="""
def receptive_field(layers):
    reach = sum(size // 2 for _, size in layers)
    seen = torch.zeros(1, 1, 2 * reach + 1, 2 * reach + 1, dtype=torch.float64)
    seen[0, 0, reach, reach] = 1
    for kind, size in layers:
        mask = conv_mask(kind, size, 1, 1).double()
        # What the pixel at offset s has seen, moved to the places that read it.
        seen = (F.conv_transpose2d(seen, mask, padding=size // 2) > 0).double()
    return {(int(r) - reach, int(c) - reach) for r, c in seen[0, 0].nonzero()}
""",
    ),
    Right(
        "receptive_field",
        "a list without doubles, last layer first",
        source="""
def receptive_field(layers):
    offsets = [(0, 0)]
    for kind, size in reversed(layers):
        p, found = size // 2, []
        for r in range(-p, 1):
            for c in range(-p, p + 1):
                if r == 0 and (c > 0 or (c == 0 and kind == "A")):
                    continue
                found.extend((a + r, b + c) for a, b in offsets)
        offsets = sorted(set(found))
    return offsets
""",
    ),
    Right(
        "GatedBlock",
        "cat with zeros for the shift, glu for the gates",
        edit=(
            (
                "above = F.pad(u, (0, 0, 1, 0))[:, :, :-1]",
                "above = torch.cat([torch.zeros_like(u[:, :, :1]), u[:, :, :-1]], dim=2)",
            ),
            (
                "v = torch.tanh(a) * torch.sigmoid(b)",
                "v = F.glu(torch.cat([torch.tanh(a), b], 1), dim=1)",
            ),
            (
                "new = self.out(torch.tanh(a) * torch.sigmoid(b))",
                "new = self.out(F.glu(torch.cat([a.tanh(), b], 1), dim=1))",
            ),
        ),
    ),
    Right(
        "GatedBlock",
        "down first, then shifted without its bias; roll and erase",
        edit=(
            (
                "above = F.pad(u, (0, 0, 1, 0))[:, :, :-1]",
                "below = F.conv2d(u, self.down.weight)\n"
                "        below = below.roll(1, dims=2)\n"
                "        rows = torch.arange(u.shape[2])[:, None] > 0\n"
                "        above = below.where(rows, torch.zeros_like(below))",
            ),
            (
                "self.down(above))",
                "above + self.down.bias[:, None, None])",
            ),
        ),
    ),
    Right(
        "PixelCNN",
        "gather in log_softmax, a list of blocks by enumerate, multinomial",
        edit=(
            (
                'self.blocks = nn.ModuleList([GatedBlock("A", colors, channels, kernels[0], '
                "colors)])\n"
                "        for size in kernels[1:]:\n"
                '            self.blocks.append(GatedBlock("B", channels, channels, size, '
                "colors))",
                "self.blocks = nn.ModuleList(\n"
                '            GatedBlock("AB"[i > 0], channels if i else colors, channels, k, '
                "colors)\n"
                "            for i, k in enumerate(kernels)\n"
                "        )",
            ),
            (
                'return F.cross_entropy(self(x), x, reduction="none")',
                "return -F.log_softmax(self(x), dim=1).gather(1, x[:, None]).squeeze(1)",
            ),
            (
                "x[:, k, r, c] = draw_levels(self(x)[:, :, k, r, c], generator)",
                "p = self(x)[:, :, k, r, c].softmax(1)\n"
                "                    x[:, k, r, c] = torch.multinomial(p, 1, "
                "generator=generator)[:, 0]",
            ),
        ),
    ),
    Right(
        "PixelCNN",
        "the rows from the first one drawn on emptied, clamps for ReLUs, unflatten",
        edit=(
            (
                "y = self.output(F.relu(self.hidden(F.relu(h))))",
                "y = self.output(self.hidden(h.clamp(min=0)).clamp(min=0))",
            ),
            (
                "return y.view(len(x), self.levels, self.colors, *x.shape[2:])",
                "return y.unflatten(1, (self.levels, self.colors))",
            ),
            (
                "        x = x.clone()",
                "        x = torch.cat([x[:, :, :rows], torch.zeros_like(x[:, :, rows:])], dim=2)",
            ),
        ),
    ),
    Right(
        "PixelCNN",
        "a buffer that is registered at the first call, layers by other names, methods of its own",
        edit=(
            (
                "self.blocks = nn.ModuleList(",
                "self.layers = nn.ModuleList(",
            ),
            ("self.blocks.append(", "self.layers.append("),
            (
                "v = h = self.scale(x)\n        for block in self.blocks:",
                'if not hasattr(self, "span"):\n'
                '            self.register_buffer("span", torch.tensor(2.0 / (self.levels - 1)))\n'
                "        v = h = x.to(self.output.weight.dtype) * self.span - 1\n"
                "        for block in self.layers:",
            ),
            (
                "            h = self.dropout(h)",
                "            h = F.dropout(h, self.dropout.p, self.training)",
            ),
            (
                'return F.cross_entropy(self(x), x, reduction="none")',
                "chosen = F.one_hot(x, self.levels).movedim(-1, 1)\n"
                "        return self.forward(x).logsumexp(1) - (self.forward(x) * chosen).sum(1)",
            ),
            (
                "return self.nll(x) / (math.log(2) * x[0].numel())",
                "return self.pixel_nll(x).mean((1, 2, 3)) / math.log(2)",
            ),
        ),
    ),
    Right(
        "BlockMemory",
        "einsum over a window, without the kept kernel",
        edit=(
            (
                "window = self.left[:, :, c : c + p + 1].flatten(1)",
                "window = self.left[:, :, c : c + p + 1]",
            ),
            (
                "w = torch.addmm(block.across.bias, window, self.kernel) + self.above[:, :, c]",
                "kernel = (block.across.weight * block.across.mask)[:, :, 0, : p + 1]\n"
                '        w = torch.einsum("bip,oip->bo", window, kernel)\n'
                "        w = w + block.across.bias + self.above[:, :, c]",
            ),
        ),
    ),
    Right(
        "BlockMemory",
        "the block's own layers on a window one pixel high",
        edit=(
            (
                "window = self.left[:, :, c : c + p + 1].flatten(1)",
                "window = self.left[:, :, None, c : c + p + 1]",
            ),
            (
                "w = torch.addmm(block.across.bias, window, self.kernel) + self.above[:, :, c]",
                "w = block.across(window)[:, :, 0, -1] + self.above[:, :, c]",
            ),
            (
                "new = torch.addmm(block.out.bias, torch.tanh(a) * torch.sigmoid(b), self.mixing)",
                "new = block.out((torch.tanh(a) * torch.sigmoid(b))[:, :, None, None])[:, :, 0, 0]",
            ),
        ),
    ),
    Right(
        "receptive_field",
        "recursion, generators",
        source="""
def receptive_field(layers):
    if not layers:
        return {(0, 0)}
    (kind, size), *rest = layers
    p = size // 2
    def seen():
        for r in range(-p, 1):
            for c in range(-p, p + 1):
                if (r, c) < (0, 0) or (kind == "B" and (r, c) == (0, 0)):
                    yield r, c
    return {(r + a, c + b) for a, b in receptive_field(rest) for r, c in seen()}
""",
    ),
    Right(
        "PixelCNN",
        "inpaint over a generator of places",
        edit=(
            (
                "        for r in range(rows, x.shape[2]):\n"
                "            for c in range(x.shape[3]):\n"
                "                for k in range(self.colors):\n"
                "                    x[:, k, r, c] = draw_levels(self(x)[:, :, k, r, c], generator)"
            ),
            (
                "        def places():\n"
                "            for at in range(rows * x.shape[3], x.shape[2] * x.shape[3]):\n"
                "                for k in range(self.colors):\n"
                "                    yield k, at // x.shape[3], at % x.shape[3]\n"
                "        for k, r, c in places():\n"
                "            x[:, k, r, c] = draw_levels(self(x)[:, :, k, r, c], generator)"
            ),
        ),
    ),
    Right(
        "PixelCNN",
        "cropped passes",
        edit=(
            ("draw_levels(self(x)[:, :, k, r, c], generator)"),
            ("draw_levels(self(x[:, :, : r + 1])[:, :, k, r, c], generator)"),
        ),
    ),
    Right(
        "MaskedConv2d",
        "the weight parametrized by the mask",
        source="""
import torch.nn.utils.parametrize as parametrize


class Masked(nn.Module):
    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight):
        return weight * self.mask


class MaskedConv2d(nn.Conv2d):
    def __init__(self, kind, channels_in, channels_out, kernel_size, colors=1):
        sides = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        super().__init__(channels_in, channels_out, sides, padding=[side // 2 for side in sides])
        self.register_buffer(
            "mask", conv_mask(kind, kernel_size, channels_in, channels_out, colors)
        )
        parametrize.register_parametrization(self, "weight", Masked(self.mask))

    def forward(self, x):
        return super().forward(x)
""",
    ),
    *(
        Right(
            "MaskedConv2d",
            "weight_norm of its own",
            edit=("def forward(self", f"    {norm}(self)\n\n    def forward(self"),
        )
        for norm in ("nn.utils.parametrizations.weight_norm", "nn.utils.weight_norm")
    ),
    *(
        Right(
            exercise,
            "layers with weight_norm",
            edit=(end, end + f"        for layer in {layers}:\n            {norm}(layer)\n"),
            check=check,
        )
        for exercise, check, end, layers, norm in (
            (
                "GatedBlock",
                "GatedBlock",
                '        self.out = MaskedConv2d("B", channels, channels, 1, colors)\n',
                "(self.vertical, self.down, self.across, self.out)",
                "nn.utils.parametrizations.weight_norm",
            ),
            (
                "GatedBlock",
                "BlockMemory",
                '        self.out = MaskedConv2d("B", channels, channels, 1, colors)\n',
                "(self.vertical, self.down, self.across, self.out)",
                "nn.utils.weight_norm",
            ),
            (
                "PixelCNN",
                "PixelCNN.forward",
                '        self.output = MaskedConv2d("B", channels, levels * colors, 1, colors)\n',
                "(self.hidden, self.output)",
                "nn.utils.parametrizations.weight_norm",
            ),
        )
    ),
)
