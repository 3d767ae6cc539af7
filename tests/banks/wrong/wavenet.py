"""Wrong answers to lesson 10, WaveNet."""

from tests.banks.bank import Wrong

CODE = "the code is round(μ (f(x) + 1) / 2), with μ = levels − 1"
ENDS = "±1 are the outermost codes, and what is louder is cut off"
INT64 = "codes are int64, and have the shape of x"
BACK = "y = 2c/μ − 1, and x = sign(y) ((1 + μ)^|y| − 1) / μ"
SURVIVES = "every code survives, and a round trip errs by half a step: little where it is quiet"
LONG = "the output is as long as the input, for signals of any length"
CONVOLVES = "y_t = b + Σ_j W_j x_{t−(k−1−j)d}, zeros before the first sample"
TAPS = "output t sees x_t, x_{t−d}, …, x_{t−(k−1)d}, and nothing else"
TRAINED = "its weight and its bias are trained, and nothing else is"
FIELD = "R = 1 + Σ (k − 1) d, for any kernel and any dilations"
KNOWN = "1 … 512 with kernel 2 sees 1,024 samples, three such stacks 3,070, and no layer sees 1"
EXACT = "the answer is a whole number, exact for sixty layers too"
GATED = "z = tanh(f) σ(g), x' = x + W_res z, s = W_skip z"
LABEL = "a label adds the same vector to f and g at all times"
REACHES = "training reaches the convolution, the label's vectors and both ways"
BAND = "the logits of x_t see x_{t−R} … x_{t−1}: all of these, and nothing else"
STACK = "stack: every block gets the x' of the one before, and the head the sum of all skips"
FORWARD = (
    "forward: the codes' own vectors, shifted by one column with zeros in front, through stack"
)
PRICE = "nll is the price in nats of the samples after the first `given`, one number a sound"
IDLE = "no weight is idle: the logits change with each block's skip and label, and with the rest"
SUM = "the probabilities of all sounds sum to 1, and are not all alike"
DRAWN = "each code is draw_codes of the model's logits, given the codes drawn before"
WINDOW = "one call a step, on the last `field` samples and x_t's own place"
BY_DEFAULT = "without a generator each call draws anew"
SEED = "all randomness comes from the given generator, and codes are int64"
COLUMNS = "column by column it gives what the causal convolution gives at once"
KEEPS = "it keeps (k − 1)·d columns, and a later step costs no more than an early one"
FRESH = "every queue begins empty and belongs to one layer; the convolution stays as it was"
EQUAL = "bit for bit the samples of the plain generator"
FLAT = "a step costs the same, however long the sound is: twice the samples, twice the operations"
SAME = (
    "the model stays as it was, in the precision that it has, and all randomness comes from the "
    "given generator"
)

ROUND = "torch.floor(mu * (y + 1) / 2 + 0.5).long()"
SIGN_IN = "torch.sign(x) * torch.log1p(mu * x.abs()) / math.log1p(mu)"
SIGN_OUT = "torch.sign(y) * torch.expm1(y.abs() * math.log1p(mu)) / mu"
PAD = "return super().forward(F.pad(x, (past, 0)))"
LENGTH = "past = (self.kernel_size[0] - 1) * self.dilation[0]"
R = "1 + sum((kernel_size - 1) * d for d in dilations)"
Z = "z = torch.tanh(f) * torch.sigmoid(g)"
WAYS = "return x + self.residual(z), self.skip(z)"
HEARD = "both = both + self.condition(label)[:, :, None]"
SHIFT = "x = F.pad(x, (1, 0))[:, :, :-1]"
EMBED = "x = self.embed(codes).transpose(1, 2)"
CE = 'each = F.cross_entropy(self(codes, label), codes, reduction="none")'
TOTAL = "return each[:, given:].sum(1)"
SEEN = "window = codes[:, max(0, t - model.field) : t + 1]"
PUT = "codes[:, t] = draw_codes(model(window, label)[:, :, -1], generator)"
QUEUE = "length = (k - 1) * d"
TAP_LIST = "taps = [self.queue[j * d] for j in range(k - 1)] + [x]"
NEW = "self.queue.append(x)"
GIVE = "setattr(part, name, QueuedConv1d(layer))"
FED = "x = fast.embed(code)[:, :, None]"
STEP = "draw_codes(fast.stack(x, label)[:, :, 0], generator)"
ZERO = "x = model.embed.weight.new_zeros(rows, model.channels, 1)"

ANSWERS = (
    # mu_law_encode
    Wrong("mu_law_encode", CODE, "not-rounded", edit=(" + 0.5)", ")")),
    Wrong("mu_law_encode", CODE, "mu-is-levels", edit=("mu = levels - 1", "mu = levels")),
    Wrong(
        "mu_law_encode",
        CODE,
        "scaled-by-levels",
        edit=(ROUND, "torch.floor(levels * (y + 1) / 2).clamp(max=mu).long()"),
    ),
    Wrong("mu_law_encode", CODE, "sign-lost", edit=("torch.sign(x) * ", "")),
    Wrong("mu_law_encode", CODE, "not-companded", edit=(SIGN_IN, "x")),
    Wrong("mu_law_encode", CODE, "levels-ignored", edit=("levels - 1", "255")),
    Wrong("mu_law_encode", CODE, "negative-codes", edit=("mu * (y + 1) / 2", "mu * y / 2")),
    Wrong(
        "mu_law_encode",
        CODE,
        "expanded-for-companded",
        edit=(SIGN_IN, "torch.sign(x) * torch.expm1(x.abs() * math.log1p(mu)) / mu"),
    ),
    Wrong("mu_law_encode", ENDS, "not-clipped", edit=(".clamp(-1, 1)", "")),
    Wrong("mu_law_encode", INT64, "floats-for-codes", edit=(".long()", "")),
    Wrong("mu_law_encode", INT64, "other-dtype", edit=(".long()", ".int()")),
    Wrong("mu_law_encode", ENDS, "twice-too-large", edit=("(y + 1) / 2 + 0.5", "(y + 1) + 0.5")),
    Wrong("mu_law_encode", CODE, "another-default", edit=("levels=256", "levels=257")),
    # mu_law_decode
    Wrong("mu_law_decode", BACK, "not-centered", edit=("/ mu - 1", "/ mu")),
    Wrong("mu_law_decode", BACK, "half-the-range", edit=("y = 2 * torch", "y = torch")),
    Wrong("mu_law_decode", BACK, "another-default", edit=("levels=256", "levels=255")),
    Wrong("mu_law_decode", BACK, "mu-is-levels", edit=("mu = levels - 1", "mu = levels")),
    Wrong("mu_law_decode", SURVIVES, "scaled-by-levels", edit=("/ mu - 1", "/ levels - 1")),
    Wrong(
        "mu_law_decode",
        BACK,
        "half-added",
        edit=("2 * torch.as_tensor(codes) / mu", "(2 * torch.as_tensor(codes) + 1) / mu"),
    ),
    Wrong(
        "mu_law_decode",
        BACK,
        "half-taken-away",
        edit=("2 * torch.as_tensor(codes) / mu", "(2 * torch.as_tensor(codes) - 1) / mu"),
    ),
    Wrong("mu_law_decode", SURVIVES, "whole-division", edit=("/ mu - 1", "// mu - 1")),
    Wrong("mu_law_decode", BACK, "sign-lost", edit=("torch.sign(y) * ", "")),
    Wrong("mu_law_decode", BACK, "sign-lost", edit=(SIGN_OUT, "((1 + mu) ** y - 1) / mu")),
    Wrong("mu_law_decode", SURVIVES, "not-expanded", edit=(SIGN_OUT, "y")),
    Wrong(
        "mu_law_decode",
        BACK,
        "companded-again",
        edit=(SIGN_OUT, "torch.sign(y) * torch.log1p(mu * y.abs()) / math.log1p(mu)"),
    ),
    Wrong("mu_law_decode", BACK, "levels-ignored", edit=("levels - 1", "255")),
    # CausalConv1d
    Wrong(
        "CausalConv1d",
        TAPS,
        "symmetric-padding",
        edit=(PAD, "return super().forward(F.pad(x, (past // 2, past - past // 2)))"),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "symmetric-padding",
        source="""
class CausalConv1d(nn.Conv1d):
    def __init__(self, channels_in, channels_out, kernel_size, dilation=1):
        super().__init__(channels_in, channels_out, kernel_size, dilation=dilation, padding="same")
""",
    ),
    Wrong("CausalConv1d", TAPS, "looks-ahead", edit=("(past, 0)", "(0, past)")),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "looks-ahead",
        edit=(PAD, "return super().forward(F.pad(x, (past, past)))[:, :, -x.shape[2] :]"),
    ),
    Wrong(
        "CausalConv1d",
        LONG,
        "dilation-forgotten-in-padding",
        edit=(LENGTH, "past = self.kernel_size[0] - 1"),
    ),
    Wrong("CausalConv1d", LONG, "padding-d", edit=(LENGTH, "past = self.dilation[0]")),
    Wrong("CausalConv1d", LONG, "no-padding", edit=(LENGTH, "past = 0")),
    Wrong("CausalConv1d", LONG, "not-cropped", edit=("(past, 0)", "(past, past)")),
    Wrong(
        "CausalConv1d",
        LONG,
        "padding-k-times-d",
        edit=(LENGTH, "past = self.kernel_size[0] * self.dilation[0]"),
    ),
    Wrong(
        "CausalConv1d",
        TAPS,
        "one-late",
        edit=(PAD, "return super().forward(F.pad(x, (past + 1, 0)))[:, :, :-1]"),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "one-late",
        edit=(
            PAD,
            "y = super().forward(F.pad(x, (past, 0)))\n"
            "        return torch.cat([torch.zeros_like(y[:, :, :1]), y[:, :, :-1]], dim=2)",
        ),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "signal-before",
        source="""
class CausalConv1d(nn.Conv1d):
    def __init__(self, channels_in, channels_out, kernel_size, dilation=1):
        super().__init__(channels_in, channels_out, kernel_size, dilation=dilation)
        self.before = None

    def forward(self, x):
        past = (self.kernel_size[0] - 1) * self.dilation[0]
        if self.before is None:
            self.before = x.new_zeros(x.shape[0], x.shape[1], past)
        heard = torch.cat([self.before, x], dim=2)
        self.before = heard[:, :, heard.shape[2] - past :].detach()
        return super().forward(heard)
""",
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "kernel-reversed",
        edit=(
            PAD,
            "return F.conv1d(F.pad(x, (past, 0)), self.weight.flip(2), self.bias, dilation="
            "self.dilation)",
        ),
    ),
    Wrong(
        "CausalConv1d",
        TAPS,
        "dilation-forgotten",
        edit=(
            PAD,
            "return F.conv1d(F.pad(x, (self.kernel_size[0] - 1, 0)), self.weight, self.bias)",
        ),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "bias-forgotten",
        edit=(PAD, "return F.conv1d(F.pad(x, (past, 0)), self.weight, dilation=self.dilation)"),
    ),
    Wrong(
        "CausalConv1d",
        TRAINED,
        "gradient-cut",
        edit=(
            PAD,
            "return F.conv1d(F.pad(x, (past, 0)), self.weight.data, self.bias, dilation="
            "self.dilation)",
        ),
    ),
    Wrong(
        "CausalConv1d",
        TAPS,
        "rows-mix",
        edit=(PAD, "return super().forward(F.pad(x - x.mean(0), (past, 0)))"),
    ),
    # receptive_field
    Wrong("receptive_field", FIELD, "off-by-one", edit=(R, R.removeprefix("1 + "))),
    Wrong("receptive_field", KNOWN, "off-by-one", edit=(R, f"1 + {R}")),
    Wrong("receptive_field", FIELD, "power-of-two", edit=(R, "2 ** len(dilations)")),
    Wrong("receptive_field", KNOWN, "power-of-two", edit=(R, "2 ** (len(dilations) + 1)")),
    Wrong("receptive_field", KNOWN, "power-of-two", edit=(R, "kernel_size ** len(dilations)")),
    Wrong("receptive_field", FIELD, "k-for-k-minus-one", edit=("(kernel_size - 1)", "kernel_size")),
    Wrong("receptive_field", FIELD, "kernel-forgotten", edit=("(kernel_size - 1) * ", "")),
    Wrong("receptive_field", FIELD, "dilation-forgotten", edit=("(kernel_size - 1) * d", "1")),
    Wrong("receptive_field", KNOWN, "repeats-dropped", edit=("in dilations", "in set(dilations)")),
    Wrong(
        "receptive_field",
        FIELD,
        "top-layer-only",
        edit=(R, "1 + (kernel_size - 1) * max(dilations, default=0)"),
    ),
    Wrong(
        "receptive_field", FIELD, "one-layer-forgotten", edit=("in dilations", "in dilations[1:]")
    ),
    Wrong(
        "receptive_field",
        KNOWN,
        "one-a-layer",
        edit=(R, "sum(1 + (kernel_size - 1) * d for d in dilations)"),
    ),
    Wrong("receptive_field", FIELD, "extra-layer", edit=("in dilations", "in [1, *dilations]")),
    Wrong("receptive_field", EXACT, "float-for-int", edit=(R, f"1.0 * ({R})")),
    # ResidualBlock
    Wrong(
        "ResidualBlock", GATED, "gates-swapped", edit=(Z, "z = torch.sigmoid(f) * torch.tanh(g)")
    ),
    Wrong("ResidualBlock", GATED, "gate-forgotten", edit=(Z, "z = torch.tanh(f)")),
    Wrong("ResidualBlock", GATED, "gates-added", edit=(Z, "z = torch.tanh(f) + torch.sigmoid(g)")),
    Wrong(
        "ResidualBlock",
        GATED,
        "halves-interleaved",
        edit=("f, g = both.chunk(2, dim=1)", "f, g = both[:, ::2], both[:, 1::2]"),
    ),
    Wrong("ResidualBlock", GATED, "residual-forgotten", edit=("return x + ", "return ")),
    Wrong("ResidualBlock", GATED, "residual-without-weights", edit=("self.residual(z)", "z")),
    Wrong(
        "ResidualBlock",
        GATED,
        "skip-is-residual",
        edit=(WAYS, "out = x + self.residual(z)\n        return out, out"),
    ),
    Wrong(
        "ResidualBlock",
        GATED,
        "skip-is-residual",
        edit=(WAYS, "out = x + self.residual(z)\n        return out, self.skip(out)"),
    ),
    Wrong("ResidualBlock", GATED, "skip-is-residual", edit=("self.skip(z)", "self.residual(z)")),
    Wrong(
        "ResidualBlock",
        GATED,
        "order-swapped",
        edit=(WAYS, "return self.skip(z), x + self.residual(z)"),
    ),
    Wrong("ResidualBlock", LABEL, "label-ignored", edit=(HEARD, "pass")),
    Wrong(
        "ResidualBlock",
        LABEL,
        "label-at-one-time",
        edit=(
            HEARD,
            "both = torch.cat([both[:, :, :1] + self.condition(label)[:, :, None], both[:, :, "
            "1:]], 2)",
        ),
    ),
    Wrong(
        "ResidualBlock",
        LABEL,
        "label-after-gate",
        edit=(
            (HEARD, "pass"),
            (
                Z,
                Z + "\n        if label is not None:\n            z = z + "
                "self.condition(label)[:, : z.shape[1], None]",
            ),
        ),
    ),
    Wrong(
        "ResidualBlock",
        LABEL,
        "label-on-one-half",
        edit=(
            (HEARD, "pass"),
            (
                "f, g = both.chunk(2, dim=1)",
                "f, g = both.chunk(2, dim=1)\n        if label is not None:\n            f = f + "
                "self.condition(label).chunk(2, 1)[0][:, :, None]",
            ),
        ),
    ),
    Wrong("ResidualBlock", REACHES, "gradient-cut", edit=(Z, Z.replace("(g)", "(g.detach())"))),
    Wrong(
        "ResidualBlock", stops="should return a pair", edit=(WAYS, "return x + self.residual(z)")
    ),
    # WaveNet
    Wrong("WaveNet", BAND, "sees-itself", edit=(SHIFT, "pass")),
    Wrong("WaveNet", FORWARD, "sees-itself", edit=(SHIFT, "pass")),
    Wrong("WaveNet", BAND, "shifted-twice", edit=(SHIFT, "x = F.pad(x, (2, 0))[:, :, :-2]")),
    Wrong("WaveNet", BAND, "looks-ahead", edit=(SHIFT, "x = F.pad(x, (0, 1))[:, :, 1:]")),
    Wrong("WaveNet", BAND, "looks-ahead", edit=(SHIFT, "x = x.roll(1, dims=2)")),
    Wrong("WaveNet", FORWARD, "rolled", edit=(SHIFT, "x = x.roll(1, dims=2)")),
    Wrong(
        "WaveNet",
        FORWARD,
        "code-zero-in-front",
        edit=(
            (EMBED, "x = self.embed(F.pad(codes, (1, 0))[:, :-1]).transpose(1, 2)"),
            (SHIFT, "pass"),
        ),
    ),
    Wrong(
        "WaveNet",
        FORWARD,
        "codes-as-numbers",
        edit=(
            EMBED,
            "x = codes[:, None, :].to(self.embed.weight.dtype).expand(-1, self.channels, -1)",
        ),
    ),
    Wrong(
        "WaveNet",
        FORWARD,
        "label-dropped",
        edit=("return self.stack(x, label)", "return self.stack(x)"),
    ),
    Wrong("WaveNet", STACK, "label-dropped", edit=("block(x, label)", "block(x)")),
    Wrong("WaveNet", STACK, "last-skip-only", edit=("total = total + skip", "total = skip")),
    Wrong(
        "WaveNet",
        STACK,
        "residual-for-skips",
        edit=("self.head(total)", "self.head(x if x.shape[1] == total.shape[1] else total)"),
    ),
    Wrong(
        "WaveNet",
        STACK,
        "blocks-side-by-side",
        edit=("x, skip = block(x, label)", "_, skip = block(x, label)"),
    ),
    Wrong(
        "WaveNet",
        STACK,
        "skips-averaged",
        edit=("self.head(total)", "self.head(total / len(self.blocks))"),
    ),
    Wrong("WaveNet", stops="RuntimeError", edit=("return self.head(total)", "return self.head(x)")),
    Wrong("WaveNet", PRICE, "cold-start", edit=("each[:, given:]", "each")),
    Wrong(
        "WaveNet",
        PRICE,
        "given-cut-away",
        edit=((CE, f"codes = codes[:, given:]\n        {CE}"), (TOTAL, "return each.sum(1)")),
    ),
    Wrong("WaveNet", PRICE, "averaged", edit=(".sum(1)", ".mean(1)")),
    Wrong("WaveNet", PRICE, "summed-over-batch", edit=(".sum(1)", ".sum()")),
    Wrong(
        "WaveNet",
        PRICE,
        "shifted-twice",
        edit=(
            CE,
            'each = F.cross_entropy(self(codes, label)[:, :, :-1], codes[:, 1:], reduction="none")',
        ),
    ),
    Wrong("WaveNet", PRICE, "bits-for-nats", edit=(TOTAL, TOTAL + " / math.log(2)")),
    Wrong("WaveNet", SUM, "sign", edit=("return each[", "return -each[")),
    Wrong(
        "WaveNet",
        PRICE,
        "softmax-twice",
        edit=("self(codes, label), codes", "self(codes, label).softmax(1), codes"),
    ),
    Wrong("WaveNet", stops="nll should have shape", edit=(".sum(1)", "")),
    Wrong(
        "CausalConv1d",
        BAND,
        "looks-ahead",
        edit=("(past, 0)", "(past // 2, past - past // 2)"),
        check="WaveNet",
    ),
    # generate
    Wrong(
        "generate",
        DRAWN,
        "past-not-fed",
        edit=("draw_codes(model(window, label)", "draw_codes(model(0 * window, label)"),
    ),
    Wrong(
        "generate",
        DRAWN,
        "argmax",
        edit=(PUT, "codes[:, t] = model(window, label)[:, :, -1].argmax(1)"),
    ),
    Wrong(
        "generate",
        SEED,
        "argmax",
        edit=(PUT, "codes[:, t] = model(window, label)[:, :, -1].argmax(1)"),
    ),
    Wrong("generate", DRAWN, "label-ignored", edit=("model(window, label)", "model(window)")),
    Wrong("generate", WINDOW, "window-short", edit=("t - model.field", "t - model.field + 1")),
    Wrong("generate", DRAWN, "window-short", edit=("t - model.field", "t - model.field + 1")),
    Wrong("generate", WINDOW, "window-long", edit=("t - model.field", "t - model.field - 1")),
    Wrong("generate", WINDOW, "whole-past", edit=(SEEN, "window = codes[:, : t + 1]")),
    Wrong(
        "generate",
        WINDOW,
        "whole-past",
        edit=((SEEN, "window = codes"), ("[:, :, -1]", "[:, :, t]")),
    ),
    Wrong(
        "generate",
        DRAWN,
        "own-place-forgotten",
        edit=(SEEN, "window = codes[:, max(0, t - model.field) : max(t, 1)]"),
    ),
    Wrong("generate", SEED, "generator-ignored", edit=(", generator)", ")")),
    Wrong(
        "generate",
        BY_DEFAULT,
        "seeded-by-default",
        edit=(PUT, PUT.replace("generator)", "generator or torch.Generator().manual_seed(t))")),
    ),
    Wrong(
        "generate",
        DRAWN,
        "same-for-all",
        edit=(PUT, "codes[:, t] = draw_codes(model(window, label)[:1, :, -1], generator)"),
    ),
    Wrong("generate", SEED, "floats-for-codes", edit=("return codes", "return codes.float()")),
    Wrong(
        "generate",
        WINDOW,
        "several-calls",
        edit=(PUT, f"model(window, label)\n        {PUT}"),
    ),
    # QueuedConv1d
    Wrong("QueuedConv1d", COLUMNS, "queue-length-d", edit=(QUEUE, "length = d")),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "queue-one-short",
        edit=((NEW, "pass"), (TAP_LIST, f"self.queue.append(x)\n        {TAP_LIST}")),
    ),
    Wrong("QueuedConv1d", COLUMNS, "queue-one-short", edit=(QUEUE, "length = (k - 1) * d - 1")),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "queue-one-short",
        edit=(
            (QUEUE, "length = max((k - 1) * d - 1, 0)"),
            (
                TAP_LIST,
                "taps = [([*self.queue, x][max(j * d - 1, 0)]) for j in range(k - 1)] + [x]",
            ),
        ),
    ),
    Wrong(
        "QueuedConv1d", COLUMNS, "queue-one-long", edit=(QUEUE, "length = (k - 1) * d + (k > 1)")
    ),
    Wrong("QueuedConv1d", COLUMNS, "no-memory", edit=(NEW, "pass")),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "kernel-reversed",
        edit=("torch.cat(taps, dim=2)", "torch.cat(taps[::-1], dim=2)"),
    ),
    Wrong("QueuedConv1d", COLUMNS, "filled-with-first", edit=("torch.zeros_like(x)", "x")),
    Wrong("QueuedConv1d", COLUMNS, "bias-forgotten", edit=(", self.conv.bias)", ")")),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "neighbors-for-taps",
        edit=(
            "self.queue[j * d] for j in range(k - 1)",
            "self.queue[j - k + 1] for j in range(k - 1)",
        ),
    ),
    Wrong(
        "QueuedConv1d",
        KEEPS,
        "queue-grows",
        source="""
class QueuedConv1d(nn.Module):
    def __init__(self, conv):
        super().__init__()
        self.conv = conv
        self.queue = None

    def forward(self, x):
        self.queue = x if self.queue is None else torch.cat([self.queue, x], dim=2)
        return self.conv(self.queue)[:, :, -1:]
""",
    ),
    Wrong(
        "QueuedConv1d",
        KEEPS,
        "queue-too-long",
        edit=(
            (QUEUE, "length = 100 * (k - 1) * d"),
            ("self.queue[j * d]", "self.queue[j * d - (k - 1) * d]"),
        ),
    ),
    Wrong(
        "QueuedConv1d",
        FRESH,
        "queue-shared",
        source="""
class QueuedConv1d(nn.Module):
    queues = {}

    def __init__(self, conv):
        super().__init__()
        self.conv = conv

    def forward(self, x):
        k, d = self.conv.kernel_size[0], self.conv.dilation[0]
        length = (k - 1) * d
        key = (x.shape, length, self.conv.weight.shape)
        if key not in self.queues or (length and self.queues[key][0] is None):
            self.queues[key] = deque([torch.zeros_like(x)] * length, maxlen=length)
        queue = self.queues[key]
        taps = [queue[j * d] for j in range(k - 1)] + [x]
        queue.append(x)
        return F.conv1d(torch.cat(taps, dim=2), self.conv.weight, self.conv.bias)
""",
    ),
    # generate_fast
    Wrong("generate_fast", EQUAL, "past-not-fed", edit=(FED, "pass")),
    Wrong("generate_fast", EQUAL, "no-memory", edit=(GIVE, "pass")),
    Wrong("generate_fast", EQUAL, "label-ignored", edit=("fast.stack(x, label)", "fast.stack(x)")),
    Wrong(
        "generate_fast",
        EQUAL,
        "argmax",
        edit=(STEP, "fast.stack(x, label)[:, :, 0].argmax(1)"),
    ),
    Wrong(
        "generate_fast",
        EQUAL,
        "code-zero-in-front",
        edit=(ZERO, "x = model.embed(torch.zeros(rows, dtype=torch.int64))[:, :, None]"),
    ),
    Wrong(
        "generate_fast",
        EQUAL,
        "queues-survive",
        edit=(
            ("label=None, generator=None):", "label=None, generator=None, made={}):"),
            (
                "fast = copy.deepcopy(model)",
                "seen = model in made\n"
                "    fast = made.setdefault(model, None) or copy.deepcopy(model)\n"
                "    made[model] = fast",
            ),
            ("if isinstance(layer, nn.Conv1d):", "if isinstance(layer, nn.Conv1d) and not seen:"),
        ),
    ),
    Wrong("generate_fast", SAME, "model-changed", edit=("copy.deepcopy(model)", "model")),
    Wrong(
        "generate_fast",
        FLAT,
        "recomputed",
        source="""
def generate_fast(model, count, label=None, generator=None):
    return generate(model, count, label, generator)
""",
    ),
    Wrong("generate_fast", SAME, "generator-ignored", edit=(", generator)  # (B,)", ")")),
    Wrong(
        "generate",
        BY_DEFAULT,
        "generator-needed",
        edit=("    codes =", "    generator.get_state()\n    codes ="),
    ),
    Wrong(
        "generate_fast",
        BY_DEFAULT,
        "seeded-by-default",
        edit=("fast = copy", "generator = generator or torch.Generator()\n    fast = copy"),
    ),
    Wrong(
        "QueuedConv1d",
        EQUAL,
        "",
        edit=(QUEUE, "length = (k - 1) * d + (k > 1)"),
        check="generate_fast",
    ),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "weights-changed",
        edit=(
            "        self.queue.append(x)",
            ("        self.conv.weight.data *= 1.01\n        self.queue.append(x)"),
        ),
    ),
    Wrong(
        "WaveNet",
        BAND,
        "sees-nothing",
        edit=("x = self.embed(codes).transpose(1, 2)", "x = 0 * self.embed(codes).transpose(1, 2)"),
    ),
    Wrong(
        "WaveNet",
        BAND,
        "sees-too-far",
        edit=("return self.stack(x, label)", "return self.stack(x.cumsum(2), label)"),
    ),
    Wrong(
        "generate",
        SEED,
        "other-dtype",
        edit=("dtype=torch.int64", "dtype=torch.uint8"),
    ),
    Wrong(
        "mu_law_encode",
        INT64,
        "other-dtype",
        edit=(".long()", ".to(torch.uint8)"),
    ),
    Wrong(
        "mu_law_encode",
        INT64,
        "no-tensor",
        edit=(".long()", ".long().tolist()"),
    ),
    Wrong(
        "mu_law_decode",
        BACK,
        "one-not-taken-away",
        edit=("torch.expm1(", "torch.exp("),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "all-cut-off",
        edit=(
            "        return super().forward(F.pad(x, (past, 0)))",
            "        return super().forward(F.pad(x, (past, past)))[:, :, :-past]",
        ),
    ),
    Wrong(
        "receptive_field",
        FIELD,
        "power-of-two",
        edit=(
            "1 + sum((kernel_size - 1) * d for d in dilations)",
            "(kernel_size - 1) * 2 ** len(dilations)",
        ),
    ),
    Wrong(
        "ResidualBlock",
        GATED,
        "scaled",
        edit=(
            "return x + self.residual(z), self.skip(z)",
            "return (x + self.residual(z)) * math.sqrt(0.5), self.skip(z)",
        ),
    ),
    Wrong(
        "WaveNet",
        STACK,
        "label-dropped-later",
        edit=("            total = total + skip", "            total, label = total + skip, None"),
    ),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "kernel-reversed",
        edit=(
            "[self.queue[j * d] for j in range(k - 1)] + [x]",
            "[x] + [self.queue[j * d] for j in range(k - 1)]",
        ),
    ),
    Wrong(
        "mu_law_encode",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=("torch.as_tensor(x).clamp(-1, 1)", "torch.as_tensor(x).clamp_(-1, 1)"),
    ),
    Wrong(
        "generate_fast",
        SAME,
        "precision-of-its-own",
        edit=("model.embed.weight.new_zeros(", "torch.zeros("),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "padding-k-times-d",
        edit=(
            PAD,
            "past = self.kernel_size[0] * self.dilation[0]\n"
            "        return super().forward(F.pad(x, (past, 0)))[:, :, : x.shape[2]]",
        ),
    ),
    Wrong("WaveNet", IDLE, "last-skip-only", edit=("total = total + skip", "total = skip")),
    Wrong("WaveNet", IDLE, "label-dropped", edit=("block(x, label)", "block(x)")),
    Wrong(
        "receptive_field",
        FIELD,
        "one-in-the-bracket",
        edit=(R, "(kernel_size - 1) * (1 + sum(dilations))"),
    ),
    Wrong(
        "receptive_field",
        FIELD,
        "both-sides",
        edit=("(kernel_size - 1) * d", "2 * (kernel_size - 1) * d"),
    ),
    Wrong(
        "receptive_field",
        "what it is given stays as it was",
        "arguments-overwritten",
        source="""
def receptive_field(kernel_size, dilations):
    field = 1
    while dilations:
        field += (kernel_size - 1) * dilations.pop()
    return field
""",
    ),
    Wrong("ResidualBlock", GATED, "skip-without-weights", edit=("self.skip(z)", "z")),
    Wrong(
        "ResidualBlock",
        GATED,
        "residual-of-the-sum",
        edit=("x + self.residual(z)", "self.residual(x + z)"),
    ),
    Wrong(
        "ResidualBlock",
        GATED,
        "squashed-again",
        edit=("x + self.residual(z)", "x + torch.tanh(self.residual(z))"),
    ),
    Wrong("ResidualBlock", GATED, "another-gate", edit=("torch.tanh(f)", "torch.relu(f)")),
    Wrong("ResidualBlock", GATED, "gate-not-squashed", edit=("torch.sigmoid(g)", "g")),
    Wrong(
        "ResidualBlock",
        LABEL,
        "label-zero-ignored",
        edit=("if label is not None:", "if label is not None and label.any():"),
    ),
    Wrong(
        "ResidualBlock",
        LABEL,
        "label-of-the-first-row",
        edit=("self.condition(label)[:, :, None]", "self.condition(label)[:1, :, None]"),
    ),
    Wrong(
        "ResidualBlock",
        LABEL,
        "label-multiplied",
        edit=("both = both + self", "both = both * self"),
    ),
    Wrong(
        "ResidualBlock",
        LABEL,
        "label-after-gate",
        edit=(
            (HEARD, "a, b = self.condition(label)[:, :, None].chunk(2, dim=1)"),
            (
                Z,
                Z + "\n        if label is not None:"
                "\n            z = (torch.tanh(f) + a) * (torch.sigmoid(g) + b)",
            ),
        ),
    ),
    Wrong(
        "ResidualBlock",
        "what it is given stays as it was",
        "arguments-overwritten",
        edit=(WAYS, "x += self.residual(z)\n        return x, self.skip(z)"),
    ),
    *(
        Wrong("mu_law_encode", CODE, name, edit=edit)
        for name, edit in (
            ("sign-in-the-logarithm", (SIGN_IN, "torch.log1p(mu * x) / math.log1p(mu)")),
            ("not-normalized", (" / math.log1p(mu)", "")),
            ("rounded-up", (ROUND, "torch.ceil(mu * (y + 1) / 2).long()")),
            ("scaled-by-the-loudest", (".clamp(-1, 1)", "\n    x = x / x.abs().max()")),
        )
    ),
    Wrong(
        "mu_law_encode",
        ENDS,
        "wraps-around",
        edit=((".clamp(-1, 1)", ""), (ROUND, ROUND + " % levels")),
    ),
    *(
        Wrong("mu_law_decode", BACK, name, edit=edit)
        for name, edit in (
            ("not-divided", (SIGN_OUT, SIGN_OUT.removesuffix(" / mu"))),
            ("divided-by-levels", (SIGN_OUT, SIGN_OUT.removesuffix("mu") + "levels")),
            ("base-mu", (SIGN_OUT, "torch.sign(y) * (mu ** y.abs() - 1) / mu")),
            ("sign-of-codes", ("torch.sign(y)", "torch.sign(codes)")),
        )
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "first-repeated",
        edit=("(past, 0)", "(past, 0), mode='replicate'"),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "end-in-front",
        edit=(
            PAD,
            "turns = -(-past // x.shape[2])\n"
            "        end = x.repeat(1, 1, turns)[:, :, turns * x.shape[2] - past :]\n"
            "        return super().forward(torch.cat([end, x], dim=2))",
        ),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "zeros-in-the-output",
        edit=(
            PAD,
            "y = super().forward(F.pad(x, (past, 0)))\n"
            "        return y * (torch.arange(y.shape[2]) >= past)",
        ),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "two-taps-only",
        edit=(
            PAD,
            "ends = torch.zeros(self.kernel_size[0])\n"
            "        ends[0] = ends[-1] = 1\n"
            "        x = F.pad(x, (past, 0))\n"
            "        return F.conv1d(x, self.weight * ends, self.bias, dilation=self.dilation)",
        ),
    ),
    *(
        Wrong("receptive_field", FIELD, name, edit=(R, field))
        for name, field in (
            ("sum-of-dilations", "sum(dilations)"),
            ("multiplied", "math.prod(1 + (kernel_size - 1) * d for d in dilations)"),
            ("top-layer-only", "2 * (kernel_size - 1) * max(dilations, default=0) or 1"),
        )
    ),
    Wrong(
        "ResidualBlock",
        LABEL,
        "label-zero-ignored",
        edit=("self.condition(label)", "(self.condition(label) * (label > 0)[:, None])"),
    ),
    Wrong(
        "ResidualBlock",
        GATED,
        "squashed-again",
        edit=("x + self.residual(z)", "F.relu(x + self.residual(z))"),
    ),
    *(
        Wrong("WaveNet", STACK, name, edit=("self.head(total)", head))
        for name, head in (
            ("skips-scaled", "self.head(total / len(self.blocks) ** 0.5)"),
            ("softmax-in-stack", "self.head(total).softmax(1)"),
        )
    ),
    Wrong(
        "WaveNet",
        FORWARD,
        "logits-shifted",
        edit=(
            (SHIFT, ""),
            (
                "return self.stack(x, label)",
                "return F.pad(self.stack(x, label), (1, 0))[:, :, :-1]",
            ),
        ),
    ),
    Wrong(
        "WaveNet",
        FORWARD,
        "axes-confused",
        edit=(
            EMBED,
            "x = self.embed(codes).reshape(len(codes), self.channels, codes.shape[1])",
        ),
    ),
    *(
        Wrong("WaveNet", PRICE, name, edit=edit)
        for name, edit in (
            ("one-more-given", (TOTAL, "return each[:, given + 1 :].sum(1)")),
            ("given-at-the-end", (TOTAL, "return each[:, -given:].sum(1)")),
            ("field-left-out", (TOTAL, "return each[:, max(given, self.field) :].sum(1)")),
            ("label-dropped", (CE, CE.replace("(codes, label)", "(codes)"))),
            (
                "softmax-over-time",
                (
                    CE,
                    "each = F.nll_loss(self(codes, label).log_softmax(2), codes, reduction='none')",
                ),
            ),
        )
    ),
    *(
        Wrong("generate", DRAWN, name, edit=edit)
        for name, edit in (
            (
                "code-zero-in-front",
                (
                    SEEN,
                    "window = F.pad(codes[:, : t + 1], (model.field, 0))[:, -model.field - 1 :]",
                ),
            ),
            (
                "own-place-and-a-zero",
                (SEEN, "window = F.pad(codes[:, :t], (1, 0))[:, -model.field :]"),
            ),
            ("first-column", ("[:, :, -1]", "[:, :, 0]")),
            (
                "one-number-for-all",
                (
                    PUT,
                    "p = model(window, label)[:, :, -1].double().softmax(1).cumsum(1)\n"
                    "        u = torch.rand(1, generator=generator, dtype=torch.float64)\n"
                    "        codes[:, t] = (p <= u).sum(1).clamp(max=p.shape[1] - 1)",
                ),
            ),
        )
    ),
    Wrong(
        "generate",
        DRAWN,
        "row-after-row",
        source="""
def generate(model, count, label=None, generator=None):
    rows = []
    for one in [None] if label is None else label.split(1):
        codes = torch.zeros(1, count, dtype=torch.int64)
        for t in range(count):
            window = codes[:, max(0, t - model.field) : t + 1]
            codes[:, t] = draw_codes(model(window, one)[:, :, -1], generator)
        rows.append(codes)
    return torch.cat(rows)
""",
    ),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "queue-length-d",
        edit=((QUEUE, "length = d"), ("self.queue[j * d]", "self.queue[0]")),
    ),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "queue-of-fixed-length",
        source="""
class QueuedConv1d(nn.Module):
    def __init__(self, conv):
        super().__init__()
        self.conv, self.ring, self.at = conv, None, 0

    def forward(self, x):
        k, d = self.conv.kernel_size[0], self.conv.dilation[0]
        if self.ring is None:
            self.ring = x.new_zeros(*x.shape[:2], 16)
        self.ring[:, :, self.at] = x[:, :, 0]
        places = [(self.at - (k - 1 - j) * d) % 16 for j in range(k)]
        self.at = (self.at + 1) % 16
        return F.conv1d(self.ring[:, :, places], self.conv.weight, self.conv.bias)
""",
    ),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "weights-turned",
        edit=("columns.flatten(1), self.weight", "columns.mT.flatten(1), self.weight"),
    ),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "two-taps-only",
        edit=(
            "columns = torch.cat(taps, dim=2)",
            "columns = torch.cat([taps[0]] + [0 * tap for tap in taps[1:-1]] + [x], dim=2)",
        ),
    ),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "precision-of-its-own",
        edit=(
            (NEW, "self.queue.append(x.half())"),
            ("self.queue[j * d] for", "self.queue[j * d].to(x.dtype) for"),
        ),
    ),
    Wrong(
        "QueuedConv1d",
        "what is heard in double precision is remembered in it",
        "precision-of-its-own",
        edit=(
            (NEW, "self.queue.append(x.float())"),
            ("self.queue[j * d] for", "self.queue[j * d].to(x.dtype) for"),
        ),
    ),
    Wrong(
        "generate_fast",
        SAME,
        "model-changed",
        edit=(ZERO, "model.eval()\n    " + ZERO),
    ),
    Wrong(
        "generate_fast",
        SAME,
        "precision-of-its-own",
        edit=(
            ("fast = copy.deepcopy(model)", "fast = copy.deepcopy(model).float()"),
            (ZERO, ZERO.replace("model.embed", "fast.embed")),
        ),
    ),
    Wrong(
        "QueuedConv1d",
        "what is heard in double precision is remembered in it",
        "answer-in-another-dtype",
        edit=(".unsqueeze(2)", ".unsqueeze(2).float()"),
    ),
    Wrong(
        "mu_law_encode",
        CODE,
        "logarithms-of-two-bases",
        edit=(SIGN_IN, SIGN_IN.replace("math.log1p(mu)", "math.log1p(mu) / math.log(10)")),
    ),
    Wrong("mu_law_decode", BACK, "sign-lost", edit=("y.abs() * math", "y * math")),
    Wrong(
        "CausalConv1d",
        LONG,
        "cropped-without-dilation",
        edit=(
            PAD,
            "y = super().forward(F.pad(x, (past, past)))\n"
            "        return y[:, :, : y.shape[2] - self.kernel_size[0] + 1]",
        ),
    ),
    Wrong("receptive_field", FIELD, "one-a-layer", edit=(R, R.replace("* d", "* d + 1"))),
    Wrong(
        "receptive_field",
        FIELD,
        "multiplied",
        edit=(R, "1 + (kernel_size - 1) * math.prod(dilations)"),
    ),
    Wrong("WaveNet", PRICE, "only-the-given-priced", edit=("[:, given:]", "[:, :given]")),
    Wrong(
        "ResidualBlock",
        GATED,
        "residual-of-x",
        edit=("x + self.residual(z)", "z + self.residual(x)"),
    ),
    Wrong(
        "generate",
        DRAWN,
        "multinomial-for-draw-codes",
        edit=(
            PUT,
            "p = model(window, label)[:, :, -1].softmax(1)\n"
            "        codes[:, t] = torch.multinomial(p, 1, generator=generator)[:, 0]",
        ),
    ),
    Wrong(
        "mu_law_encode",
        CODE,
        "mu-is-levels",
        source="""
def mu_law_encode(x, levels=256):
    mu = levels
    x = torch.as_tensor(x).clamp(-1, 1)
    y = torch.sign(x) * torch.log1p(mu * x.abs()) / math.log1p(mu)
    return ((y + 1) / 2 * mu + 0.5).floor().long().clamp(0, levels - 1)
""",
    ),
    Wrong(
        "mu_law_encode",
        CODE,
        "mu-is-levels",
        source="""
def mu_law_encode(x, levels=256):
    x = torch.as_tensor(x).clamp(-1, 1)
    y = torch.sign(x) * torch.log1p(levels * x.abs()) / math.log1p(levels)
    return ((y + 1) / 2 * levels).long().clamp(max=levels - 1)
""",
    ),
    Wrong(
        "mu_law_encode",
        ENDS,
        "not-clipped",
        source="""
def mu_law_encode(x, levels=256):
    mu = float(levels - 1)
    y = x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu)
    return ((y + 1) / 2 * mu + 0.5).long()
""",
    ),
    Wrong(
        "mu_law_encode",
        CODE,
        "levels-ignored",
        edit=(
            "torch.log1p(mu * x.abs()) / math.log1p(mu)",
            "torch.log1p(255 * x.abs()) / 5.545177",
        ),
    ),
    Wrong(
        "mu_law_decode",
        BACK,
        "base-e",
        edit=(SIGN_OUT, "torch.sign(y) * torch.expm1(y.abs()) / mu"),
    ),
    Wrong(
        "mu_law_decode",
        BACK,
        "base-e",
        edit=(SIGN_OUT, "torch.sign(y) * torch.expm1(y.abs()) / math.expm1(1)"),
    ),
    Wrong(
        "mu_law_decode",
        BACK,
        "levels-ignored",
        edit=(SIGN_OUT, "torch.sign(y) * (256 ** y.abs() - 1) / 255"),
    ),
    Wrong(
        "mu_law_decode",
        BACK,
        "levels-ignored",
        edit=("2 * torch.as_tensor(codes) / mu - 1", "2 * torch.as_tensor(codes) / 255 - 1"),
    ),
    Wrong(
        "CausalConv1d",
        CONVOLVES,
        "symmetric-padding",
        edit=(PAD, "return super().forward(F.pad(x, (past - past // 2, past // 2)))"),
    ),
    Wrong(
        "WaveNet",
        PRICE,
        "given-left-out-at-the-end",
        edit=(TOTAL, "return each[:, : each.shape[1] - given].sum(1)"),
    ),
    Wrong(
        "generate",
        DRAWN,
        "window-from-the-end",
        edit=(
            SEEN,
            """window = codes[:, t - model.field : t + 1]
        if window.shape[1] == 0:
            window = codes[:, : t + 1]""",
        ),
    ),
    Wrong(
        "QueuedConv1d",
        COLUMNS,
        "outputs-stored",
        source="""
class QueuedConv1d(nn.Module):
    def __init__(self, conv):
        super().__init__()
        self.conv, self.queue = conv, None

    def forward(self, x):
        k, d = self.conv.kernel_size[0], self.conv.dilation[0]
        if self.queue is None:
            length = (k - 1) * d
            self.queue = deque([torch.zeros_like(x)] * length, maxlen=length)
        taps = [self.queue[j * d] for j in range(k - 1)] + [x]
        y = F.conv1d(torch.cat(taps, 2), self.conv.weight, self.conv.bias)
        self.queue.append(y if y.shape == x.shape else x)
        return y
""",
    ),
    *(
        Wrong(
            "QueuedConv1d",
            COLUMNS,
            "kernel-of-two",
            source=f"""
class QueuedConv1d(nn.Module):
    def __init__(self, conv):
        super().__init__()
        self.conv, self.queue = conv, None

    def forward(self, x):
        if self.queue is None:
            self.queue = deque(torch.zeros_like(x) for _ in range(self.conv.dilation[0]))
        old = self.queue.popleft()
        self.queue.append(x)
        w = self.conv.weight
        return {first} + w[:, :, -1] @ x + self.conv.bias[:, None]
""",
        )
        for first in ("w[:, :, 0] @ old", "(0 if w.shape[2] == 1 else w[:, :, 0] @ old)")
    ),
    Wrong("mu_law_encode", CODE, "codes-from-one", edit=(" + 0.5)", " + 1.5)")),
    Wrong("mu_law_encode", CODE, "turned-round", edit=("(y + 1)", "(1 - y)")),
    *(
        Wrong(
            "mu_law_encode",
            CODE,
            "one-plus-forgotten",
            edit=("torch.log1p(mu * x.abs())", f"torch.log(mu * x.abs() + {small})"),
        )
        for small in (1e-8, 1e-6, 1e-5)
    ),
    *(
        Wrong("receptive_field", FIELD, "kernel-counted-once", edit=(R, to))
        for to in ("kernel_size - 1 + sum(dilations)", "kernel_size + sum(dilations)")
    ),
    Wrong(
        "ResidualBlock",
        GATED,
        "skip-of-x",
        edit=(WAYS, "return x + self.residual(z), self.skip(x)"),
    ),
    Wrong("WaveNet", FORWARD, "vectors-scaled", edit=(EMBED, f"{EMBED} * self.channels**0.5")),
    Wrong(
        "WaveNet", PRICE, "one-less-given", edit=("each[:, given:]", "each[:, max(given - 1, 0) :]")
    ),
    Wrong(
        "WaveNet", PRICE, "first-never-priced", edit=("each[:, given:]", "each[:, max(given, 1) :]")
    ),
    Wrong(
        "WaveNet",
        PRICE,
        "labels-smoothed",
        edit=('reduction="none"', 'reduction="none", label_smoothing=0.1'),
    ),
    Wrong(
        "generate",
        DRAWN,
        "warmed-up",
        source="""
@torch.no_grad()
def generate(model, count, label=None, generator=None):
    rows, total = 1 if label is None else len(label), count + model.field
    codes = torch.zeros(rows, total, dtype=torch.int64)
    for t in range(total):
        window = codes[:, max(0, t - model.field) : t + 1]
        codes[:, t] = draw_codes(model(window, label)[:, :, -1], generator)
    return codes[:, model.field :]
""",
    ),
    Wrong(
        "receptive_field",
        FIELD,
        "top-layer-only",
        edit=(R, "1 + (kernel_size - 1) * (2 * max(dilations, default=0) - 1) * bool(dilations)"),
    ),
    Wrong("mu_law_encode", CODE, "base-mu", edit=("math.log1p(mu)", "math.log(mu)")),
    Wrong(
        "generate",
        DRAWN,
        "softmax-twice",
        edit=("[:, :, -1], generator", "[:, :, -1].softmax(1), generator"),
    ),
)
