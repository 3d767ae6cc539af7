"""Wrong answers to lesson 09, PixelCNN."""

from tests.banks.bank import Wrong

SHAPE = (
    "the mask holds zeros and ones, both where both belong, in the shape of the weight: "
    "(out, in, height, width)"
)
FUTURE = "no pixel after this one is seen"
PAST = "every pixel before this one is seen, in all its colors"
MIDDLE = "the middle is hidden by A and shown by B, if there is one color"
COLORS = "at the middle R sees no color, G sees R, B sees R and G; kind B adds the color itself"
OUTPUT = "the output is (W∘M) * x + b, with the height and width of x"
HOLDS = "the mask holds after a training step, is saved and moved with the layer, never trained"
LAYER = "one layer sees the offsets at which its mask is 1"
STACK = "two layers see every sum of one offset of each, and so on"
BLIND_SPOT = "a deep stack keeps its blind spot, and no layer at all sees its own pixel"
LATE = (
    "no feature sees what it may not: v' only v, down to its own row; h' only the rows of v above "
    "it, and h to the left"
)
LOST = "no feature loses what it may see: all columns of the rows above, and the row to the left"
VALUES = "v' = gate(u), h' = out(gate(across(h) + down(u shifted))), plus h in kind B"
SELF = "no logit sees its own number or a later one, of pixels and of colors"
SEES = "the logits of each number see all numbers before it: no blind spot"
ROWS = "in training too each image of a batch is computed for itself"
FORMULA = "the scaled image goes through the blocks, then relu, `hidden`, relu and `output`"
DROPPED = "in training `self.dropout` works on h after each block, in evaluation on nothing"
NLL = "pixel_nll is −log p of each number in nats"
LARGE = "it is exact for logits in the hundreds"
BITS = "bits_per_dim is the NLL in bits, divided by how many numbers an image has"
OFTEN = "images come as often as the model says, in a copy of those given"
BELOW = "inpaint keeps the first rows, and draws the rest from its conditional, on a copy"
BY_DEFAULT = "without a generator each call draws anew"
ALONE = "each image of a batch is drawn by itself, and all from the given generator alone"
SUM = "the probabilities of all images sum to 1"
SAMPLES = "samples come as often as the model says"
SAME = "pixel(c, h) is what the block gives at column c"
BITWISE = "cached sampling draws the naive images, bit for bit, under the same generator"
FLAT = "a pixel of a large image costs what a pixel of a small one does"

ABOVE = "mask[:, :, : height // 2] = 1"
LEFT = "mask[:, :, height // 2, : width // 2] = 1"
RULE = 'of_in < of_out if kind == "A" else of_in <= of_out'
REGISTER = 'self.register_buffer("mask", mask)'
FORWARD = "return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)"
SHIFT = "above = F.pad(u, (0, 0, 1, 0))[:, :, :-1]"
VERTICAL = "u = self.vertical(F.pad(v, (p, p, p, 0)))"
GATED_V = "v = torch.tanh(a) * torch.sigmoid(b)"
NEW = "new = self.out(torch.tanh(a) * torch.sigmoid(b))"
RETURN = 'return v, (h + new if self.kind == "B" else new)'
FIRST = 'GatedBlock("A", colors, channels, kernels[0], colors)'
REST = 'GatedBlock("B", channels, channels, size, colors)'
HIDDEN = 'self.hidden = MaskedConv2d("B", channels, channels, 1, colors)'
LOGITS = 'self.output = MaskedConv2d("B", channels, levels * colors, 1, colors)'
VIEW = "return y.view(len(x), self.levels, self.colors, *x.shape[2:])"
LOSS = 'return F.cross_entropy(self(x), x, reduction="none")'
PER_DIM = "return self.nll(x) / (math.log(2) * x[0].numel())"
SCALED = "v = h = self.scale(x)"
DROP = "            h = self.dropout(h)\n"
DRAWN = "x[:, k, r, c] = draw_levels(self(x)[:, :, k, r, c], generator)"
THROUGH = "v, h = block(v, h)"
KEEP = "self.left[:, :, c + p] = h"
WINDOW = "window = self.left[:, :, c : c + p + 1].flatten(1)"
FROM_ABOVE = "+ self.above[:, :, c]"
MEMORY_NEW = "new = torch.addmm(block.out.bias, torch.tanh(a) * torch.sigmoid(b), self.mixing)"
MEMORY_RETURN = 'return h + new if block.kind == "B" else new'

ANSWERS = (
    # conv_mask
    Wrong("conv_mask", MIDDLE, "always-B", edit=(RULE, "of_in <= of_out")),
    Wrong("conv_mask", MIDDLE, "always-A", edit=(RULE, "of_in < of_out")),
    Wrong("conv_mask", COLORS, "kinds-swapped", edit=('kind == "A"', 'kind == "B"')),
    Wrong(
        "conv_mask",
        FUTURE,
        "right-visible",
        edit=(LEFT, "mask[:, :, height // 2] = 1"),
    ),
    Wrong(
        "conv_mask",
        FUTURE,
        "right-for-left",
        edit=(LEFT, "mask[:, :, height // 2, width // 2 + 1 :] = 1"),
    ),
    Wrong("conv_mask", FUTURE, "rows-below", edit=(ABOVE, "mask[:, :, height // 2 + 1 :] = 1")),
    Wrong("conv_mask", PAST, "rows-above-lost", edit=(ABOVE, "pass")),
    Wrong(
        "conv_mask",
        PAST,
        "upper-left-only",
        edit=(ABOVE, "mask[:, :, : height // 2, : width // 2 + 1] = 1"),
    ),
    Wrong("conv_mask", PAST, "left-lost", edit=(LEFT, "pass")),
    Wrong(
        "conv_mask",
        PAST,
        "middle-off-by-one",
        edit=(LEFT, "mask[:, :, height // 2, : max(width // 2 - 1, 0)] = 1"),
    ),
    Wrong(
        "conv_mask",
        MIDDLE,
        edit=(
            ("mask[:, :, height // 2, width // 2] = middle.float()", "pass"),
            (LEFT, "mask[:, :, height // 2, : width // 2 + 1] = 1"),
        ),
        misconception="middle-visible",
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "colors-reversed",
        edit=(RULE, 'of_in > of_out if kind == "A" else of_in >= of_out'),
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "colors-ignored",
        edit=(RULE, 'torch.full((channels_out, channels_in), kind == "B")'),
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "colors-in-blocks",
        edit=(
            ("[:, None] % colors", "[:, None] * colors // channels_out"),
            ("[None, :] % colors", "[None, :] * colors // channels_in"),
        ),
    ),
    Wrong(
        "conv_mask",
        PAST,
        "colors-everywhere",
        edit=(
            "    return mask",
            "    return mask.where(mask == 0, middle.float()[:, :, None, None])",
        ),
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "own-color-only",
        edit=(RULE, '(of_in == of_out) & (kind == "B")'),
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "colors-by-channel",
        edit=(("[:, None] % colors", "[:, None]"), ("[None, :] % colors", "[None, :]")),
    ),
    Wrong(
        "conv_mask",
        SHAPE,
        "transposed",
        edit=("    return mask", "    return mask.transpose(0, 1)"),
    ),
    Wrong("conv_mask", PAST, "all-zero", edit=("    return mask", "    return 0 * mask")),
    Wrong(
        "conv_mask", FUTURE, "all-one", edit=("    return mask", "    return torch.ones_like(mask)")
    ),
    Wrong(
        "conv_mask",
        PAST,
        "upper-left-only",
        edit=(
            (ABOVE, "mask[:, :, : height // 2, : width // 2 + 1] = 1"),
            (RULE, 'torch.full((channels_out, channels_in), kind == "B")'),
        ),
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "colors-ignored",
        edit=(
            (ABOVE, "mask[:, :, : height // 2, : width // 2 + 1] = 1"),
            (RULE, 'torch.full((channels_out, channels_in), kind == "B")'),
        ),
    ),
    Wrong(
        "conv_mask",
        PAST,
        "upper-left-only",
        edit=(ABOVE, "mask[:, :, : height // 2, : width // 2] = 1"),
    ),
    Wrong("conv_mask", PAST, "row-above-lost", edit=(ABOVE, "mask[:, :, : height // 2 - 1] = 1")),
    Wrong(
        "conv_mask",
        PAST,
        "column-order",
        edit=(
            (ABOVE, "mask[:, :, :, : width // 2] = 1"),
            (LEFT, "mask[:, :, : height // 2, width // 2] = 1"),
        ),
    ),
    Wrong("conv_mask", MIDDLE, "middle-hidden", edit=(RULE, "of_in < 0")),
    # MaskedConv2d
    Wrong(
        "MaskedConv2d",
        HOLDS,
        "mask-only-at-init",
        edit=(
            (REGISTER, REGISTER + "\n        self.weight.data *= mask"),
            (FORWARD, "return F.conv2d(x, self.weight, self.bias, padding=self.padding)"),
        ),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "mask-unused",
        edit=(FORWARD, "return F.conv2d(x, self.weight, self.bias, padding=self.padding)"),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "bias-forgotten",
        edit=(FORWARD, "return F.conv2d(x, self.weight * self.mask, padding=self.padding)"),
    ),
    Wrong("MaskedConv2d", OUTPUT, "mask-inverted", edit=("self.mask,", "(1 - self.mask),")),
    Wrong("MaskedConv2d", HOLDS, "gradient-cut", edit=("self.weight *", "self.weight.data *")),
    Wrong("MaskedConv2d", HOLDS, "mask-plain-attribute", edit=(REGISTER, "self.mask = mask")),
    Wrong(
        "MaskedConv2d",
        HOLDS,
        "mask-is-parameter",
        edit=(REGISTER, "self.mask = nn.Parameter(mask)"),
    ),
    Wrong(
        "MaskedConv2d",
        HOLDS,
        "mask-not-persistent",
        edit=(REGISTER, 'self.register_buffer("mask", mask, persistent=False)'),
    ),
    Wrong("MaskedConv2d", OUTPUT, "mask-for-weight", edit=("self.weight * self.mask", "self.mask")),
    Wrong("MaskedConv2d", OUTPUT, "mask-added", edit=("self.weight *", "self.weight +")),
    Wrong("MaskedConv2d", OUTPUT, "padding-forgotten", edit=(", padding=self.padding)", ")")),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "bias-twice",
        edit=(FORWARD, FORWARD + " + self.bias[:, None, None]"),
    ),
    # receptive_field
    Wrong("receptive_field", LAYER, "kind-ignored-B", edit=('1 if kind == "B" else 0', "1")),
    Wrong("receptive_field", LAYER, "kind-ignored-B", edit=("field = {(a", "field |= {(a")),
    Wrong("receptive_field", LAYER, "kind-ignored-A", edit=('1 if kind == "B" else 0', "0")),
    Wrong(
        "receptive_field",
        STACK,
        "first-layer-only",
        edit=("for kind, size in layers:", "for kind, size in layers[:1]:"),
    ),
    Wrong(
        "receptive_field",
        STACK,
        "union-for-sum",
        edit=(
            ("field = {(0, 0)}", "field = set()"),
            (
                "field = {(a + c, b + d) for a, b in field for c, d in above | left}",
                "field = field | above | left",
            ),
        ),
    ),
    Wrong(
        "receptive_field",
        LAYER,
        "right-visible",
        edit=(
            'left = {(0, c) for c in range(-p, 1 if kind == "B" else 0)}',
            'left = {(0, c) for c in range(-p, p + 1) if c or kind == "B"}',
        ),
    ),
    Wrong(
        "receptive_field",
        LAYER,
        "mask-forgotten",
        edit=("above | left}", "{(r, c) for r in range(-p, p + 1) for c in range(-p, p + 1)}}"),
    ),
    Wrong(
        "receptive_field",
        BLIND_SPOT,
        "blind-spot-unnoticed",
        source="""
def receptive_field(layers):
    s = sum(size // 2 for _, size in layers)
    field = {(r, c) for r in range(-s, 0) for c in range(-s, s + 1)}
    field |= {(0, c) for c in range(-s, 0)}
    return field if any(kind == "A" for kind, _ in layers) else field | {(0, 0)}
""",
    ),
    Wrong(
        "receptive_field",
        LAYER,
        "rows-and-columns-swapped",
        edit=("    return field", "    return {(c, r) for r, c in field}"),
    ),
    Wrong(
        "receptive_field",
        LAYER,
        "sign",
        edit=("    return field", "    return {(-r, -c) for r, c in field}"),
    ),
    Wrong("receptive_field", LAYER, "size-for-reach", edit=("p = size // 2", "p = size - 1")),
    Wrong("receptive_field", LAYER, "kinds-swapped", edit=('kind == "B"', 'kind == "A"')),
    Wrong("receptive_field", LAYER, "row-forgotten", edit=("range(-p, 1", "range(0, 1")),
    # GatedBlock
    Wrong("GatedBlock", LATE, "unshifted", edit=(SHIFT, "above = u")),
    Wrong(
        "GatedBlock",
        LOST,
        "shifted-twice",
        edit=(SHIFT, "above = F.pad(u, (0, 0, 2, 0))[:, :, :-2]"),
    ),
    Wrong(
        "GatedBlock",
        LATE,
        edit=(SHIFT, "above = F.pad(u, (0, 0, 0, 1))[:, :, 1:]"),
        misconception="shifted-up",
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "taken-after-gating",
        edit=(
            (SHIFT, "above = None"),
            (
                GATED_V,
                GATED_V + "\n        above = F.pad(torch.cat([v, v], 1), (0, 0, 1, 0))[:, :, :-1]",
            ),
        ),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "gates-swapped",
        edit=(
            (GATED_V, "v = torch.sigmoid(a) * torch.tanh(b)"),
            (NEW, "new = self.out(torch.sigmoid(a) * torch.tanh(b))"),
        ),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "no-gate",
        edit=((GATED_V, "v = torch.tanh(a)"), (NEW, "new = self.out(torch.tanh(a))")),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "relu-for-gate",
        edit=((GATED_V, "v = torch.relu(a)"), (NEW, "new = self.out(torch.relu(a))")),
    ),
    Wrong("GatedBlock", VALUES, "residual-forgotten", edit=(RETURN, "return v, new")),
    Wrong(
        "GatedBlock",
        LOST,
        "horizontal-feeds-vertical",
        edit=(VERTICAL, "u = self.vertical(F.pad(h, (p, p, p, 0)))"),
    ),
    Wrong(
        "GatedBlock",
        LOST,
        "nothing-handed-down",
        edit=("(self.across(h) + self.down(above))", "self.across(h)"),
    ),
    Wrong(
        "GatedBlock",
        LOST,
        "row-forgotten",
        edit=("(self.across(h) + self.down(above))", "self.down(above)"),
    ),
    Wrong("GatedBlock", VALUES, "vertical-ungated", edit=(GATED_V, "v = a")),
    Wrong(
        "GatedBlock",
        LATE,
        edit=(VERTICAL, "u = self.vertical(F.pad(v, (p, p, 0, p)))"),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "bias-shifted",
        edit=(
            (SHIFT, "down = F.pad(self.down(u)[:, :, :-1], (0, 0, 1, 0))"),
            ("self.across(h) + self.down(above)", "self.across(h) + down"),
        ),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "horizontal-feeds-vertical",
        edit=(VERTICAL, "u = self.vertical(F.pad(h + v, (p, p, p, 0)))"),
    ),
    Wrong("GatedBlock", LATE, "residual-in-A", edit=(RETURN, "return v, h + new")),
    Wrong(
        "GatedBlock",
        LATE,
        "residual-averaged",
        edit=(RETURN, "return v, new + h.mean(dim=1)[:, None]"),
    ),
    Wrong(
        "GatedBlock",
        LATE,
        "residual-in-A",
        edit=(RETURN, 'return v, new + (h if self.kind == "B" else h.mean(dim=1)[:, None])'),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "residual-of-vertical",
        edit=(
            (VERTICAL, "given = v\n        " + VERTICAL),
            (RETURN, 'return (given + v, h + new) if self.kind == "B" else (v, new)'),
        ),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "linear-gate",
        edit=(
            (GATED_V, "v = a * torch.sigmoid(b)"),
            (NEW, "new = self.out(a * torch.sigmoid(b))"),
        ),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "tanh-twice",
        edit=((GATED_V, "v = a.tanh() * b.tanh()"), (NEW, "new = self.out(a.tanh() * b.tanh())")),
    ),
    Wrong("GatedBlock", VALUES, "horizontal-ungated", edit=(NEW, "new = self.out(a)")),
    Wrong("GatedBlock", VALUES, "out-forgotten", edit=(NEW, NEW.replace("self.out", ""))),
    Wrong(
        "GatedBlock",
        LOST,
        "shifted-twice",
        edit=(
            (SHIFT, "above = F.pad(u, (0, 0, 2, 0))[:, :, :-2]"),
            (RETURN, "return v, new"),
        ),
    ),
    Wrong(
        "GatedBlock",
        LATE,
        edit=(
            'MaskedConv2d("B", channels, channels, 1, colors)',
            'MaskedConv2d("B", channels, channels, 3, colors)',
        ),
        stops="the layer out should stay as the constructor gave it",
    ),
    Wrong(
        "conv_mask",
        LATE,
        check="GatedBlock",
        edit=(LEFT, "mask[:, :, height // 2] = 1"),
    ),
    Wrong(
        "conv_mask",
        PAST,
        "colors-everywhere",
        edit=(
            "return mask",
            "if colors > 1:\n"
            "        mask[:, :, : height // 2] = middle.float()[:, :, None, None]\n"
            "        mask[:, :, height // 2, : width // 2] = middle.float()[:, :, None]\n"
            "    return mask",
        ),
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "colors-in-blocks",
        edit=(
            (
                "torch.arange(channels_out)[:, None] % colors",
                "torch.arange(channels_out)[:, None] // colors",
            ),
            (
                "torch.arange(channels_in)[None, :] % colors",
                "torch.arange(channels_in)[None, :] // colors",
            ),
        ),
    ),
    Wrong(
        "conv_mask",
        PAST,
        "one-middle-for-both",
        edit=(
            (LEFT, "mask[:, :, height // 2, : height // 2] = 1"),
            (
                "mask[:, :, height // 2, width // 2] = middle",
                "mask[:, :, height // 2, height // 2] = middle",
            ),
        ),
    ),
    Wrong(
        "conv_mask",
        SHAPE,
        "whole-rows",
        edit=(
            (LEFT, 'mask[:, :, height // 2] = float(kind == "B")'),
            ("mask[:, :, height // 2, width // 2] = middle.float()", "pass"),
        ),
    ),
    Wrong(
        "conv_mask",
        SHAPE,
        "middle-row-for-rows-below",
        source="""
def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    mask = torch.ones(channels_out, channels_in, height, width)
    if kind == "A":
        mask[:, :, height // 2, width // 2 :] = 0
        mask[:, :, height // 2 + 1 :] = 0
    else:
        mask[:, :, height // 2, width // 2 + 1 :] = 0
        mask[:, :, height // 2] = 0
    return mask
""",
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "one-padding-for-both",
        edit=(FORWARD, FORWARD.replace("self.padding", "self.padding[0]")),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "kernel-reversed",
        edit=(
            FORWARD,
            FORWARD.replace("self.weight * self.mask", "(self.weight * self.mask).flip(2, 3)"),
        ),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "weights-scaled-up",
        edit=(
            FORWARD,
            "kept = self.mask.mean(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6)\n"
            "        weight = self.weight * self.mask / kept\n"
            "        return F.conv2d(x, weight, self.bias, padding=self.padding)",
        ),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "squashed",
        edit=(FORWARD, "return F.relu(" + FORWARD.removeprefix("return ") + ")"),
    ),
    Wrong(
        "MaskedConv2d",
        HOLDS,
        "mask-only-at-init",
        edit=(
            (
                REGISTER,
                REGISTER + "\n        self.weight.data *= mask\n"
                "        self.weight.register_hook(lambda slope: slope * mask)",
            ),
            (FORWARD, FORWARD.replace("self.weight * self.mask", "self.weight")),
        ),
    ),
    Wrong(
        "receptive_field",
        LAYER,
        "own-pixel-taken-out",
        edit=(
            ("for kind, size in layers:", "for place, (_, size) in enumerate(layers):"),
            ('1 if kind == "B" else 0', "1 if place else 0"),
        ),
    ),
    Wrong("receptive_field", LAYER, "size-for-reach", edit=("p = size // 2", "p = size")),
    Wrong(
        "receptive_field",
        LAYER,
        "upper-left-only",
        edit=("for c in range(-p, p + 1)}", "for c in range(-p, 1)}"),
    ),
    Wrong(
        "receptive_field",
        BLIND_SPOT,
        "fixed-window",
        edit=("return field", "return {(r, c) for r, c in field if r > -6 and abs(c) < 6}"),
    ),
    Wrong(
        "receptive_field",
        BLIND_SPOT,
        "empty-for-no-layers",
        edit=("field = {(0, 0)}", "field = {(0, 0)} if layers else set()"),
    ),
    Wrong(
        "receptive_field",
        LAYER,
        "cone-for-sums",
        source="""
def receptive_field(layers):
    s = sum(size // 2 for _, size in layers)
    field = {(r, c) for r in range(-s, 0) for c in range(-s, -r + 1)}
    field |= {(0, c) for c in range(-s, 0)}
    return field if any(kind == "A" for kind, _ in layers) else field | {(0, 0)}
""",
    ),
    Wrong(
        "receptive_field",
        misconception="arguments-overwritten",
        fails="what it is given stays as it was",
        edit=("return field", "layers.clear()\n    return field"),
    ),
    Wrong("GatedBlock", LATE, "rolled", edit=(SHIFT, "above = torch.roll(u, 1, dims=2)")),
    Wrong(
        "GatedBlock",
        LATE,
        "shifted-sideways",
        edit=(SHIFT, "above = F.pad(u, (1, 0))[:, :, :, :-1]"),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "bias-above",
        edit=(
            (VERTICAL, "u = self.vertical(F.pad(v, (p, p, p + 1, 0)))"),
            (SHIFT, "above, u = u[:, :, :-1], u[:, :, 1:]"),
        ),
    ),
    Wrong(
        "GatedBlock",
        LOST,
        "vertical-shifted",
        edit=(
            (VERTICAL, "u = self.vertical(F.pad(v, (p, p, p + 1, 0)))[:, :, :-1]"),
            (SHIFT, "above = u"),
        ),
    ),
    Wrong(
        "GatedBlock",
        LOST,
        "vertical-shifted",
        edit=(VERTICAL, "u = self.vertical(F.pad(v, (p, p, p + 1, 0)))[:, :, :-1]"),
    ),
    *(
        Wrong(
            "GatedBlock",
            VALUES,
            name,
            edit=((GATED_V, f"v = {gate}"), (NEW, f"new = self.out({gate})")),
        )
        for name, gate in (
            ("relu-for-tanh", "torch.relu(a) * torch.sigmoid(b)"),
            ("relu-for-sigmoid", "torch.tanh(a) * torch.relu(b)"),
            ("gates-added", "torch.tanh(a) + torch.sigmoid(b)"),
        )
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "halves-interleaved",
        edit=(
            ("a, b = u.chunk(2, dim=1)", "a, b = u[:, ::2], u[:, 1::2]"),
            (
                "a, b = (self.across(h) + self.down(above)).chunk(2, dim=1)",
                "w = self.across(h) + self.down(above)\n        a, b = w[:, ::2], w[:, 1::2]",
            ),
        ),
    ),
    # PixelCNN
    Wrong(
        "PixelCNN",
        SEES,
        "a-in-every-layer",
        check="PixelCNN.forward",
        edit=(REST, REST.replace('"B"', '"A"')),
    ),
    Wrong(
        "PixelCNN",
        SELF,
        "b-in-the-first-layer",
        check="PixelCNN.forward",
        edit=(FIRST, FIRST.replace('"A"', '"B"')),
    ),
    Wrong(
        "GatedBlock",
        SELF,
        "b-in-the-first-layer",
        check="PixelCNN.forward",
        edit=("MaskedConv2d(kind, channels_in", 'MaskedConv2d("B", channels_in'),
    ),
    Wrong(
        "PixelCNN",
        SEES,
        "a-on-1x1",
        check="PixelCNN.forward",
        edit=(HIDDEN, HIDDEN.replace('"B"', '"A"')),
    ),
    Wrong(
        "PixelCNN",
        SEES,
        "a-on-1x1",
        check="PixelCNN.forward",
        edit=(LOGITS, LOGITS.replace('"B"', '"A"')),
    ),
    Wrong(
        "PixelCNN",
        SELF,
        "levels-and-colors-swapped",
        check="PixelCNN.forward",
        edit=(
            VIEW,
            "y = y.view(len(x), self.colors, self.levels, *x.shape[2:])\n"
            "        return y.transpose(1, 2)",
        ),
    ),
    Wrong(
        "PixelCNN",
        SELF,
        "colors-mixed",
        check="PixelCNN.forward",
        edit=(HIDDEN, HIDDEN.replace(", colors)", ")")),
    ),
    Wrong(
        "PixelCNN",
        SELF,
        "normalizing-over-positions",
        check="PixelCNN.forward",
        edit=(
            "y = self.output(",
            "h = F.layer_norm(h, h.shape[1:])\n        y = self.output(",
        ),
    ),
    Wrong(
        "PixelCNN",
        ROWS,
        "rows-mix",
        check="PixelCNN.forward",
        edit=(
            (HIDDEN, HIDDEN + "\n        self.norm = nn.BatchNorm2d(channels)"),
            ("F.relu(h)", "F.relu(self.norm(h))"),
        ),
    ),
    Wrong(
        "PixelCNN",
        SEES,
        "blind-spot",
        check="PixelCNN.forward",
        edit=(THROUGH, "h = block(h, h)[1]"),
    ),
    Wrong("GatedBlock", SELF, check="PixelCNN.forward", edit=(SHIFT, "above = u")),
    Wrong(
        "PixelCNN",
        NLL,
        "bits-for-nats",
        check="PixelCNN.pixel_nll",
        edit=(LOSS, LOSS + " / math.log(2)"),
    ),
    Wrong(
        "PixelCNN",
        NLL,
        "sign",
        check="PixelCNN.pixel_nll",
        edit=(LOSS, LOSS.replace("return ", "return -")),
    ),
    Wrong(
        "PixelCNN",
        NLL,
        "softmax-wrong-axis",
        check="PixelCNN.pixel_nll",
        edit=(LOSS, "return -F.log_softmax(self(x), -1).gather(1, x[:, None])[:, 0]"),
    ),
    Wrong(
        "PixelCNN",
        NLL,
        "softmax-wrong-axis",
        check="PixelCNN.pixel_nll",
        edit=(LOSS, "return -F.log_softmax(self(x), 2).gather(1, x[:, None])[:, 0]"),
    ),
    Wrong(
        "PixelCNN",
        LARGE,
        "softmax-then-log",
        check="PixelCNN.pixel_nll",
        edit=(LOSS, "return -F.softmax(self(x), 1).gather(1, x[:, None])[:, 0].log()"),
    ),
    Wrong(
        "PixelCNN",
        NLL,
        "log-forgotten",
        check="PixelCNN.pixel_nll",
        edit=(LOSS, "return F.softmax(self(x), 1).gather(1, x[:, None])[:, 0]"),
    ),
    Wrong(
        "PixelCNN",
        BITS,
        "nats-for-bits",
        check="PixelCNN.bits_per_dim",
        edit=(PER_DIM, "return self.nll(x) / x[0].numel()"),
    ),
    Wrong(
        "PixelCNN",
        BITS,
        "times-log-2",
        check="PixelCNN.bits_per_dim",
        edit=(PER_DIM, "return self.nll(x) * math.log(2) / x[0].numel()"),
    ),
    Wrong(
        "PixelCNN",
        BITS,
        "colors-not-counted",
        check="PixelCNN.bits_per_dim",
        edit=(PER_DIM, "return self.nll(x) / (math.log(2) * x[0, 0].numel())"),
    ),
    Wrong(
        "PixelCNN",
        BITS,
        "not-divided",
        check="PixelCNN.bits_per_dim",
        edit=(PER_DIM, "return self.nll(x) / math.log(2)"),
    ),
    Wrong(
        "PixelCNN",
        BITS,
        "averaged-over-batch",
        check="PixelCNN.bits_per_dim",
        edit=(PER_DIM, "return (" + PER_DIM[7:] + ").mean()"),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "argmax-for-drawing",
        check="PixelCNN.inpaint",
        edit=(DRAWN, "x[:, k, r, c] = self(x)[:, :, k, r, c].argmax(1)"),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "not-fed-back",
        check="PixelCNN.inpaint",
        edit=(
            ("x = x.clone()", "given, x = x, x.clone()"),
            ("self(x)[:, :, k, r, c]", "self(given)[:, :, k, r, c]"),
        ),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "not-fed-back",
        check="PixelCNN.inpaint",
        edit=(
            ("for c in range(x.shape[3]):", "y = self(x)\n            for c in range(x.shape[3]):"),
            ("self(x)[:, :, k, r, c]", "y[:, :, k, r, c]"),
        ),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "rows-and-columns-swapped",
        check="PixelCNN.inpaint",
        edit=("[:, :, k, r, c]", "[:, :, k, c % x.shape[2], r % x.shape[3]]"),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "column-order",
        check="PixelCNN.inpaint",
        edit=(
            "        for r in range(rows, x.shape[2]):\n            for c in range(x.shape[3]):\n",
            "        for c in range(x.shape[3]):\n            for r in range(rows, x.shape[2]):\n",
        ),
    ),
    Wrong(
        "PixelCNN",
        ALONE,
        "generator-ignored",
        check="PixelCNN.inpaint",
        edit=(", k, r, c], generator)", ", k, r, c])"),
    ),
    Wrong(
        "PixelCNN",
        BY_DEFAULT,
        "seeded-by-default",
        check="PixelCNN.inpaint",
        edit=(
            "x = x.clone()\n",
            "x = x.clone()\n        generator = generator or torch.Generator()\n",
        ),
    ),
    Wrong(
        "PixelCNN",
        BY_DEFAULT,
        "generator-needed",
        check="PixelCNN.inpaint",
        edit=("x = x.clone()\n", "x = x.clone().to(generator.device)\n"),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "colors-not-drawn",
        check="PixelCNN.inpaint",
        edit=("for k in range(self.colors):", "for k in range(1):"),
    ),
    Wrong(
        "PixelCNN",
        BELOW,
        "changed-in-place",
        check="PixelCNN.inpaint",
        edit=("x = x.clone()", "pass"),
    ),
    Wrong(
        "PixelCNN",
        BELOW,
        "wrong-rows-kept",
        check="PixelCNN.inpaint",
        edit=("range(rows, x.shape[2])", "range(x.shape[2])"),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "not-scaled",
        check="PixelCNN.forward",
        edit=(SCALED, "v = h = x.to(self.hidden.weight.dtype)"),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "another-scale",
        check="PixelCNN.forward",
        edit=(SCALED, "v = h = x / (self.levels - 1)"),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "scaled-twice",
        check="PixelCNN.forward",
        edit=(SCALED, "v = h = self.scale(self.scale(x))"),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "stacks-swapped",
        check="PixelCNN.forward",
        edit=(THROUGH, "h, v = block(v, h)"),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "relu-forgotten",
        check="PixelCNN.forward",
        edit=("self.hidden(F.relu(h))", "self.hidden(h)"),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "relu-forgotten",
        check="PixelCNN.forward",
        edit=("self.output(F.relu(self.hidden(F.relu(h))))", "self.output(self.hidden(F.relu(h)))"),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "tanh-for-relu",
        check="PixelCNN.forward",
        edit=(
            "self.output(F.relu(self.hidden(F.relu(h))))",
            "self.output(torch.tanh(self.hidden(torch.tanh(h))))",
        ),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "hidden-forgotten",
        check="PixelCNN.forward",
        edit=("self.hidden(F.relu(h))", "h"),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "normalized-already",
        check="PixelCNN.forward",
        edit=(VIEW, VIEW + ".log_softmax(1)"),
    ),
    Wrong("PixelCNN", DROPPED, "dropout-forgotten", check="PixelCNN.forward", edit=(DROP, "")),
    Wrong(
        "PixelCNN",
        DROPPED,
        "dropout-once",
        check="PixelCNN.forward",
        edit=((DROP, ""), ("y = self.output(", "h = self.dropout(h)\n        y = self.output(")),
    ),
    Wrong(
        "PixelCNN",
        DROPPED,
        "dropout-on-v",
        check="PixelCNN.forward",
        edit=(DROP, "            v, h = self.dropout(v), self.dropout(h)\n"),
    ),
    Wrong(
        "PixelCNN",
        check="PixelCNN.forward",
        edit=(
            "self.blocks = nn.ModuleList([" + FIRST + "])",
            'self.blocks = [GatedBlock("A", colors, channels, kernels[0], colors)]',
        ),
        stops="one GatedBlock for each of the kernels",
    ),
    Wrong(
        "PixelCNN",
        NLL,
        "already-summed",
        check="PixelCNN.pixel_nll",
        edit=(LOSS, "return F.cross_entropy(self(x), x)"),
    ),
    Wrong(
        "PixelCNN",
        NLL,
        "logits-for-logs",
        check="PixelCNN.pixel_nll",
        edit=(LOSS, 'return F.nll_loss(self(x), x, reduction="none")'),
    ),
    Wrong(
        "PixelCNN",
        BITS,
        "divided-by-batch",
        check="PixelCNN.bits_per_dim",
        edit=(PER_DIM, "return self.nll(x) / (math.log(2) * x.numel())"),
    ),
    Wrong(
        "PixelCNN",
        BITS,
        "one-for-each-number",
        check="PixelCNN.bits_per_dim",
        edit=(PER_DIM, "return self.pixel_nll(x) / math.log(2)"),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "color-by-color",
        check="PixelCNN.inpaint",
        edit=(
            "        for r in range(rows, x.shape[2]):\n            for c in range(x.shape[3]):\n"
            "                for k in range(self.colors):\n",
            "        for k in range(self.colors):\n            for r in range(rows, x.shape[2]):\n"
            "                for c in range(x.shape[3]):\n",
        ),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "colors-deaf",
        check="PixelCNN.inpaint",
        edit=("range(self.colors)", "reversed(range(self.colors))"),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "first-color-for-all",
        check="PixelCNN.inpaint",
        edit=("self(x)[:, :, k, r, c]", "self(x)[:, :, 0, r, c]"),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "levels-turned",
        check="PixelCNN.inpaint",
        edit=("self(x)[:, :, k, r, c]", "self(x).flip(1)[:, :, k, r, c]"),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "softmax-twice",
        check="PixelCNN.inpaint",
        edit=("self(x)[:, :, k, r, c]", "self(x).softmax(1)[:, :, k, r, c]"),
    ),
    Wrong(
        "PixelCNN",
        BELOW,
        "nothing-drawn",
        check="PixelCNN.inpaint",
        edit=("range(rows, x.shape[2])", "range(rows if rows == 0 else x.shape[2], x.shape[2])"),
    ),
    Wrong(
        "PixelCNN",
        ALONE,
        "images-not-independent",
        check="PixelCNN.inpaint",
        edit=(
            DRAWN,
            "x[:, k, r, c] = draw_levels(self(x)[:, :, k, r, c], generator)\n"
            "                    x[1::2, k, r, c] = x[: len(x) // 2 * 2 : 2, k, r, c]",
        ),
    ),
    Wrong(
        "PixelCNN",
        SUM,
        "averaged",
        check="PixelCNN",
        edit=("self.pixel_nll(x).flatten(1).sum(1)", "self.pixel_nll(x).flatten(1).mean(1)"),
    ),
    Wrong(
        "PixelCNN",
        SAMPLES,
        check="PixelCNN",
        edit=(
            "return self.inpaint(empty, 0, generator)",
            "return self.inpaint(empty, 1, generator)",
        ),
    ),
    # BlockMemory
    Wrong("BlockMemory", SAME, "not-stored", edit=(KEEP, "pass")),
    Wrong(
        "BlockMemory",
        SAME,
        "not-stored",
        edit=((KEEP, "pass"), (WINDOW, f"{WINDOW}.clone()\n        {KEEP}")),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "mixing-turned",
        edit=(MEMORY_NEW, MEMORY_NEW.replace("self.mixing", "self.mixing.T")),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "down-again",
        edit=(
            FROM_ABOVE,
            "+ F.linear(self.above[:, :, c], block.down.weight[:, :, 0, 0], block.down.bias)",
        ),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "nothing-from-above",
        edit=(FROM_ABOVE, ""),
    ),
    Wrong(
        "BlockMemory",
        BITWISE,
        "above-of-another-column",
        edit=(FROM_ABOVE, "+ self.above[:, :, 0]"),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "window-late",
        edit=(WINDOW, "window = F.pad(self.left, (0, 1))[:, :, c + 1 : c + p + 2].flatten(1)"),
    ),
    Wrong("BlockMemory", SAME, "residual-forgotten", edit=(MEMORY_RETURN, "return new")),
    Wrong(
        "BlockMemory",
        SAME,
        "gates-swapped",
        edit=("torch.tanh(a) * torch.sigmoid(b), self", "torch.sigmoid(a) * torch.tanh(b), self"),
    ),
    Wrong(
        "BlockMemory",
        FLAT,
        "whole-row-again",
        edit=(
            "w = torch.addmm(block.across.bias, window, self.kernel) + self.above[:, :, c]",
            "row = self.left[:, :, None, p:]\n"
            "        w = block.across(row)[:, :, 0, c] + self.above[:, :, c]",
        ),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "window-early",
        edit=(WINDOW, "window = F.pad(self.left, (1, 0))[:, :, c : c + p + 1].flatten(1)"),
    ),
    Wrong("BlockMemory", SAME, "residual-in-A", edit=(MEMORY_RETURN, "return h + new")),
    Wrong(
        "BlockMemory",
        SAME,
        "no-gate",
        edit=("torch.tanh(a) * torch.sigmoid(b), self", "torch.tanh(a), self"),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "out-forgotten",
        edit=(MEMORY_NEW, "new = torch.tanh(a) * torch.sigmoid(b)"),
    ),
    Wrong(
        "PixelCNN",
        'everything holds that check(PixelCNN, "forward") asks',
        "a-in-every-layer",
        edit=('GatedBlock("B", channels', 'GatedBlock("A", channels'),
    ),
    Wrong(
        "PixelCNN",
        'everything holds that check(PixelCNN, "forward") asks',
        "a-on-1x1",
        edit=('self.hidden = MaskedConv2d("B"', 'self.hidden = MaskedConv2d("A"'),
    ),
    Wrong(
        "PixelCNN",
        'everything holds that check(PixelCNN, "forward") asks',
        "a-on-1x1",
        edit=('self.output = MaskedConv2d("B"', 'self.output = MaskedConv2d("A"'),
    ),
    Wrong(
        "PixelCNN",
        'everything holds that check(PixelCNN, "forward") asks',
        "blind-spot",
        edit=(("v, h = block(v, h)\n"), ("v, h = block(h, h)\n")),
    ),
    Wrong(
        "PixelCNN",
        'everything holds that check(PixelCNN, "forward") asks',
        "colors-mixed",
        edit=(
            ("channels, 1, colors)\n        self.output"),
            ("channels, 1)\n        self.output"),
        ),
    ),
    Wrong(
        "PixelCNN",
        DROPPED,
        "dropout-not-after-the-last",
        check="PixelCNN.forward",
        edit=(
            ("            h = self.dropout(h)\n"),
            ("            h = self.dropout(h) if block is not self.blocks[-1] else h\n"),
        ),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "normalized-already",
        check="PixelCNN.forward",
        edit=(
            "return y.view(len(x), self.levels, self.colors, *x.shape[2:])",
            "return y.view(len(x), self.levels, self.colors, *x.shape[2:]).softmax(1)",
        ),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "rows-for-kept",
        check="PixelCNN.inpaint",
        edit=("range(rows, x.shape[2])", "range(x.shape[2] - rows, x.shape[2])"),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "wrong-rows-kept",
        check="PixelCNN.inpaint",
        edit=("range(rows, x.shape[2])", "range(rows + 1, x.shape[2])"),
    ),
    Wrong(
        "PixelCNN",
        SELF,
        "sees-nothing",
        check="PixelCNN.forward",
        edit=("v = h = self.scale(x)", "v = h = 0 * self.scale(x)"),
    ),
    Wrong(
        "PixelCNN",
        SELF,
        "stacks-swapped",
        check="PixelCNN.forward",
        edit=(("v, h = block(v, h)\n"), ("v, h = block(h, v)\n")),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "uniform-levels",
        check="PixelCNN.inpaint",
        edit=(
            "draw_levels(self(x)[:, :, k, r, c], generator)",
            "draw_levels(0 * self(x)[:, :, k, r, c], generator)",
        ),
    ),
    Wrong(
        "PixelCNN",
        SELF,
        "vertical-for-both",
        check="PixelCNN.forward",
        edit=(("v, h = block(v, h)\n"), ("v, h = block(v, v)\n")),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "colors-deaf",
        check="PixelCNN.inpaint",
        edit=(
            (
                "                for k in range(self.colors):\n"
                "                    x[:, k, r, c] = draw_levels(self(x)[:, :, k, r, c], "
                "generator)"
            ),
            (
                "                logits = self(x)\n"
                "                for k in range(self.colors):\n"
                "                    x[:, k, r, c] = draw_levels(logits[:, :, k, r, c], "
                "generator)"
            ),
        ),
    ),
    Wrong(
        "conv_mask",
        SHAPE,
        "sides-swapped",
        edit=(
            "height, width = (kernel_size, kernel_size)",
            "width, height = (kernel_size, kernel_size)",
        ),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "kind-ignored",
        edit=("conv_mask(kind,", 'conv_mask("A",'),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "kind-ignored",
        edit=("conv_mask(kind,", 'conv_mask("B",'),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "sigmoid-twice",
        edit=(
            ("v = torch.tanh(a) * torch.sigmoid(b)", "v = torch.sigmoid(a) * torch.sigmoid(b)"),
            (
                "self.out(torch.tanh(a) * torch.sigmoid(b))",
                "self.out(torch.sigmoid(a) * torch.sigmoid(b))",
            ),
        ),
    ),
    Wrong(
        "conv_mask",
        COLORS,
        source="""
_masks = {}


def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    key = kind, height, width, channels_in, channels_out
    if key not in _masks:
        place = torch.arange(height * width).view(height, width) - height * width // 2
        of_out, of_in = (torch.arange(n) % colors for n in (channels_out, channels_in))
        before = of_in[None] - of_out[:, None] < (1 if kind == "B" else 0)
        _masks[key] = ((place < 0) + (place == 0) * before[:, :, None, None]).float()
    return _masks[key]
""",
    ),
    Wrong(
        "PixelCNN",
        misconception="rows-mix",
        edit=("y = self.output", "h = h[:1].expand_as(h)\n        y = self.output"),
        check="PixelCNN.forward",
    ),
    Wrong(
        "conv_mask",
        SHAPE,
        "A-closes-all-colors",
        edit=(RULE, 'of_in < of_in if kind == "A" else of_in <= of_out'),
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "B-opens-all-colors",
        edit=(RULE, 'of_in < of_out if kind == "A" else of_in == of_in'),
    ),
    Wrong(
        "conv_mask",
        PAST,
        "nearest-only",
        edit=(LEFT, "mask[:, :, height // 2, max(width // 2 - 1, 0) : width // 2] = 1"),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "colors-not-handed-on",
        edit=(
            "channels_in, channels_out, colors)\n        self.reg",
            "channels_in, channels_out)\n        self.reg",
        ),
    ),
    Wrong(
        "receptive_field",
        LAYER,
        "own-pixel-taken-out",
        edit=("return field", "return field - {(0, 0)}"),
    ),
    Wrong(
        "receptive_field",
        LAYER,
        "own-pixel-taken-out",
        edit=("return field", "return field - {(0, 0)} or field"),
    ),
    Wrong(
        "PixelCNN",
        DROPPED,
        "dropout-in-evaluation",
        check="PixelCNN.forward",
        edit=("h = self.dropout(h)", "h = F.dropout(h, self.dropout.p)"),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "not-shifted",
        edit=(KEEP, "self.left[:, :, c] = h"),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "row-forgotten",
        edit=(KEEP, "self.left.zero_()\n        " + KEEP),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "mask-forgotten",
        edit=(
            "window, self.kernel)",
            "window, block.across.weight[:, :, 0, : p + 1].flatten(1).T)",
        ),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "window-turned",
        edit=("c + p + 1].flatten(1)", "c + p + 1].transpose(1, 2).flatten(1)"),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "residual-in-A",
        edit=(MEMORY_RETURN, "return h + new if h.shape == new.shape else new"),
    ),
    Wrong(
        "BlockMemory",
        FLAT,
        "whole-row-again",
        edit=(
            WINDOW,
            "padded = torch.cat([self.left, self.left[:, :, :0]], dim=2)\n"
            "        window = padded[:, :, c : c + p + 1].flatten(1)",
        ),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "never-stored",
        edit=(
            (KEEP, "row = torch.cat([self.left[:, :, : c + p], h[:, :, None]], dim=2)"),
            (WINDOW, "window = row[:, :, c : c + p + 1].flatten(1)"),
        ),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "not-shifted",
        edit=(
            (KEEP, "self.left[:, :, c] = h\n        row = F.pad(self.left, (p, 0))"),
            (WINDOW, "window = row[:, :, c : c + p + 1].flatten(1)"),
        ),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "outputs-stored",
        edit=(
            MEMORY_RETURN,
            'if block.kind == "B":\n'
            "            self.left[:, :, c + p] = h + new\n"
            "            return h + new\n"
            "        return new",
        ),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "above-of-another-column",
        edit=(FROM_ABOVE, "+ self.above[:, :, c - 1]"),
    ),
    *(
        Wrong("BlockMemory", SAME, "bias-forgotten", edit=edit)
        for edit in (
            ("torch.addmm(block.across.bias, window, self.kernel)", "window @ self.kernel"),
            (MEMORY_NEW, "new = (torch.tanh(a) * torch.sigmoid(b)) @ self.mixing"),
            (
                ("torch.addmm(block.across.bias, window, self.kernel)", "window @ self.kernel"),
                (MEMORY_NEW, "new = (torch.tanh(a) * torch.sigmoid(b)) @ self.mixing"),
            ),
        )
    ),
    *(
        Wrong(
            "BlockMemory",
            SAME,
            name,
            edit=(MEMORY_NEW, MEMORY_NEW.replace("torch.tanh(a)", first)),
        )
        for name, first in (("relu-for-tanh", "torch.relu(a)"), ("linear-gate", "a"))
    ),
    Wrong(
        "PixelCNN",
        "a gradient goes back through it",
        "gradient-cut",
        check="PixelCNN.pixel_nll",
        edit=(LOSS, "with torch.no_grad():\n            " + LOSS),
    ),
    Wrong(
        "PixelCNN",
        BITS,
        "log-of-levels",
        check="PixelCNN.bits_per_dim",
        edit=(PER_DIM, "return self.nll(x) / (math.log(self.levels) * x[0].numel())"),
    ),
    *(
        Wrong("PixelCNN", NLL, name, check="PixelCNN.pixel_nll", edit=(LOSS, f"return {loss}"))
        for name, loss in (
            (
                "cut-in-rows-unturned",
                "F.cross_entropy(self(x).reshape(-1, self.levels), x.reshape(-1), "
                "reduction='none').view(x.shape)",
            ),
            ("negative-probabilities", "F.nll_loss(self(x).softmax(1), x, reduction='none')"),
            (
                "probabilities-floored",
                "-self(x).softmax(1).gather(1, x[:, None])[:, 0].clamp(min=1e-2).log()",
            ),
        )
    ),
    Wrong(
        "GatedBlock",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=(
            RETURN,
            'if self.kind == "B":\n'
            "            h += new\n"
            "            return v, h\n"
            "        return v, new",
        ),
    ),
    Wrong(
        "GatedBlock",
        "a gradient goes back through it",
        "gradient-cut",
        edit=(SHIFT, SHIFT.replace("F.pad(u,", "F.pad(u.detach(),")),
    ),
    # what other people write
    Wrong("conv_mask", PAST, "one-middle-for-both", edit=(LEFT, LEFT.replace("width", "height"))),
    Wrong(
        "conv_mask",
        SHAPE,
        "lower-triangle",
        edit=(
            "    return mask",
            '    low = torch.ones(height, width).tril(0 if kind == "B" else -1)\n'
            "    return low.expand(channels_out, channels_in, height, width)",
        ),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "padded-too-much",
        edit=("padding=self.padding)", "padding=tuple(k - 1 for k in self.kernel_size))"),
    ),
    Wrong(
        "MaskedConv2d",
        OUTPUT,
        "padded-around",
        edit=(
            FORWARD,
            "p, q = self.padding\n"
            '        x = F.pad(x, (q, q, p, p), mode="circular")\n'
            "        return F.conv2d(x, self.weight * self.mask, self.bias)",
        ),
    ),
    Wrong("receptive_field", STACK, "last-layer-only", edit=("in field for", "in {(0, 0)} for")),
    Wrong(
        "receptive_field",
        LAYER,
        "right-column-lost",
        edit=("range(-p, p + 1)", "range(-p, p)"),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "gates-swapped",
        edit=(GATED_V, "v = torch.sigmoid(a) * torch.tanh(b)"),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "gates-swapped",
        edit=(NEW, "new = self.out(torch.sigmoid(a) * torch.tanh(b))"),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "halves-interleaved",
        edit=("a, b = u.chunk(2, dim=1)", "a, b = u[:, ::2], u[:, 1::2]"),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "halves-interleaved",
        edit=(
            "a, b = (self.across(h) + self.down(above)).chunk(2, dim=1)",
            "w = self.across(h) + self.down(above)\n        a, b = w[:, ::2], w[:, 1::2]",
        ),
    ),
    Wrong(
        "GatedBlock",
        LATE,
        "across-reads-v",
        edit=(("p = self.reach", "p, image = self.reach, v"), ("across(h)", "across(image)")),
    ),
    Wrong("GatedBlock", VALUES, "down-forgotten", edit=("self.down(above)", "above")),
    Wrong(
        "GatedBlock",
        VALUES,
        "residual-before-out",
        edit=(
            (
                NEW,
                "new = torch.tanh(a) * torch.sigmoid(b)\n"
                '        new = self.out(h + new if self.kind == "B" else new)',
            ),
            (RETURN, "return v, new"),
        ),
    ),
    Wrong(
        "GatedBlock",
        LATE,
        "stacks-swapped",
        edit=(RETURN, 'return (h + new if self.kind == "B" else new), v'),
    ),
    *(
        Wrong(
            "PixelCNN",
            SELF,
            "output-reads-v",
            check="PixelCNN.forward",
            edit=("F.relu(h)", f"F.relu({read})"),
        )
        for read in ("v", "v + h")
    ),
    *(
        Wrong(
            "PixelCNN",
            NLL,
            "averaged",
            check="PixelCNN.pixel_nll",
            edit=(LOSS, LOSS + end),
        )
        for end in (
            ".mean().expand(x.shape)",
            ".mean((1, 2, 3), keepdim=True).expand(x.shape)",
            ".mean(1, keepdim=True).expand(x.shape)",
        )
    ),
    Wrong(
        "PixelCNN",
        BITS,
        "scale-added",
        check="PixelCNN.bits_per_dim",
        edit=(PER_DIM, PER_DIM + " + math.log2(self.levels)"),
    ),
    Wrong("BlockMemory", SAME, "added-to-the-store", edit=(KEEP, KEEP.replace("=", "+="))),
    Wrong(
        "BlockMemory",
        SAME,
        "not-stored",
        edit=((f"        {KEEP}\n", ""), (WINDOW, f"{WINDOW}\n        {KEEP}")),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "window-reversed",
        edit=(WINDOW, WINDOW.replace(".flat", ".flip(2).flat")),
    ),
    Wrong("BlockMemory", SAME, "bias-twice", edit=(FROM_ABOVE, f"{FROM_ABOVE} + block.down.bias")),
    Wrong(
        "conv_mask",
        PAST,
        "middle-row-lost-in-B",
        source="""
def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):
    h, w = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
    mask = torch.ones(channels_out, channels_in, h, w)
    mask[:, :, h // 2 + 1 :] = 0
    mask[:, :, h // 2, w // 2 if kind == "A" else 0 :] = 0
    if kind == "A" and colors > 1:
        for o in range(channels_out):
            for i in range(channels_in):
                mask[o, i, h // 2, w // 2] = float(i % colors < o % colors)
    return mask
""",
    ),
    Wrong(
        "conv_mask",
        MIDDLE,
        "middle-row-lost-in-B",
        source="""
def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):
    h, w = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
    mask = torch.ones(channels_out, channels_in, h, w)
    mask[:, :, h // 2 + (kind == "A") :] = 0
    if kind == "A":
        mask[:, :, h // 2, w // 2 :] = 0
    return mask
""",
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "colors-in-blocks",
        source="""
def conv_mask(kind, kernel_size, channels_in, channels_out, colors=1):
    h, w = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
    mask = torch.zeros(channels_out, channels_in, h, w)
    mask[:, :, : h // 2] = 1
    mask[:, :, h // 2, : w // 2] = 1
    o, i = channels_out // colors, channels_in // colors
    for a in range(colors):
        for b in range(colors):
            if b < a or (kind == "B" and b == a):
                mask[a * o : (a + 1) * o, b * i : (b + 1) * i, h // 2, w // 2] = 1
    return mask
""",
    ),
    *(
        Wrong(
            "MaskedConv2d",
            OUTPUT,
            "padded-with-the-border",
            edit=(
                FORWARD,
                f"""h, w = self.padding
        x = F.pad(x, (w, w, h, h), mode="{mode}")
        return F.conv2d(x, self.weight * self.mask, self.bias)""",
            ),
        )
        for mode in ("replicate", "reflect")
    ),
    Wrong("receptive_field", LAYER, "first-layer-lost", edit=("in layers:", "in layers[1:]:")),
    Wrong("receptive_field", LAYER, "last-layer-lost", edit=("in layers:", "in layers[:-1]:")),
    Wrong(
        "PixelCNN",
        FORMULA,
        "squashed",
        check="PixelCNN.forward",
        edit=(VIEW, VIEW.replace("y.view", "F.relu(y).view")),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "blocks-summed",
        check="PixelCNN.forward",
        edit=(
            (SCALED, SCALED + "\n        total = 0"),
            (DROP, DROP + "            total = total + h\n"),
            ("self.hidden(F.relu(h))", "self.hidden(F.relu(total))"),
        ),
    ),
    Wrong(
        "PixelCNN",
        FORMULA,
        "axes-scrambled",
        check="PixelCNN.forward",
        edit=(VIEW, VIEW.replace("y.view", "y.permute(0, 2, 3, 1).reshape")),
    ),
    Wrong(
        "PixelCNN",
        NLL,
        "binary-cross-entropy",
        check="PixelCNN.pixel_nll",
        edit=(
            LOSS,
            """hot = F.one_hot(x, self.levels).movedim(-1, 1).float()
        return F.binary_cross_entropy_with_logits(self(x), hot, reduction="none").sum(1)""",
        ),
    ),
    Wrong(
        "BlockMemory",
        SAME,
        "own-column-missing",
        edit=(WINDOW, "window = F.pad(self.left[:, :, c : c + p], (0, 1)).flatten(1)"),
    ),
    *(
        Wrong(
            "PixelCNN",
            FORMULA,
            "stack-begins-empty",
            check="PixelCNN.forward",
            edit=(SCALED, f"v = h = self.scale(x)\n        {which} = torch.zeros_like(v)"),
        )
        for which in "vh"
    ),
    Wrong(
        "conv_mask",
        COLORS,
        "nearest-color-only",
        edit=(
            RULE,
            '(of_in == of_out - 1) if kind == "A" else (of_in == of_out) | (of_in == of_out - 1)',
        ),
    ),
    Wrong(
        "PixelCNN",
        OFTEN,
        "rows-from-below",
        check="PixelCNN.inpaint",
        edit=("range(rows, x.shape[2])", "reversed(range(rows, x.shape[2]))"),
    ),
    Wrong(
        "PixelCNN",
        BELOW,
        "kept-rows-lost",
        check="PixelCNN.inpaint",
        edit=("x = x.clone()", "x = torch.zeros_like(x)"),
    ),
    Wrong("conv_mask", PAST, "one-middle-for-both", edit=(ABOVE, "mask[:, :, : width // 2] = 1")),
    Wrong(
        "conv_mask",
        FUTURE,
        "one-middle-for-both",
        edit=(LEFT, "mask[:, :, height // 2, : height // 2] = 1"),
    ),
    Wrong(
        "receptive_field",
        LAYER,
        "nothing-to-begin-with",
        edit=("field = {(0, 0)}", "field = set()"),
    ),
    *(
        Wrong("receptive_field", LAYER, name, edit=("for r in range(-p, 0)", f"for r in {rows}"))
        for name, rows in (
            ("rows-below", "range(1, p + 1)"),
            ("row-above-lost", "range(-p, -1)"),
            ("top-row-lost", "range(-p + 1, 0)"),
        )
    ),
    Wrong("receptive_field", LAYER, "rows-above-lost", edit=("above | left", "left")),
    Wrong(
        "receptive_field",
        STACK,
        "first-kind-for-all",
        edit=("p = size // 2", "kind, p = layers[0][0], size // 2"),
    ),
    Wrong(
        "GatedBlock",
        LATE,
        "own-row-of-v",
        edit=(
            (VERTICAL, f"given = v\n        {VERTICAL}"),
            (RETURN, RETURN.replace("h + new", "given + new")),
        ),
    ),
    Wrong(
        "GatedBlock",
        VALUES,
        "shifted-twice",
        edit=(SHIFT, "above = F.pad(u, (0, 0, 2, 0))[:, :, :-2]"),
    ),
    Wrong("GatedBlock", VALUES, "relu-for-tanh", edit=(GATED_V, GATED_V.replace("tanh", "relu"))),
    Wrong("GatedBlock", VALUES, "relu-for-tanh", edit=(NEW, NEW.replace("tanh", "relu"))),
)
