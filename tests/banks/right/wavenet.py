"""Right answers to lesson 10, WaveNet, written in other ways than the lesson's."""

from tests.banks.bank import Right

BY_FOURIER = """
class CausalConv1d(nn.Conv1d):
    def __init__(self, channels_in, channels_out, kernel_size, dilation=1):
        super().__init__(channels_in, channels_out, kernel_size, dilation=dilation)

    def forward(self, x):
        k, d = self.kernel_size[0], self.dilation[0]
        past = (k - 1) * d
        size = x.shape[2] + past
        taps = F.pad(self.weight[..., None], (0, d - 1)).flatten(2)[:, :, : past + 1]
        waves = torch.fft.fft(F.pad(x, (past, 0)))[:, None] * torch.fft.fft(taps, size).conj()
        y = torch.fft.ifft(waves.sum(2)).real
        return y[:, :, : x.shape[2]] + self.bias[:, None]
"""

ANSWERS = (
    Right(
        "mu_law_encode",
        "torch.round, where and log",
        source="""
def mu_law_encode(x, levels=256):
    mu = float(levels - 1)
    x = torch.clip(x.double(), -1.0, 1.0)
    f = torch.where(x < 0, -1.0, 1.0) * torch.log(1 + mu * torch.abs(x)) / math.log(1 + mu)
    return torch.round((f + 1) * 0.5 * mu).to(torch.int64)
""",
    ),
    Right(
        "mu_law_encode",
        "the nearest decoded value, by the middle of the companded axis",
        source="""
def mu_law_encode(x, levels=256):
    mu = levels - 1
    edges = (torch.arange(1, levels, dtype=torch.float64) - 0.5) / mu * 2 - 1
    edges = torch.sign(edges) * ((1 + mu) ** edges.abs() - 1) / mu
    return torch.bucketize(x.double(), edges, right=True)
""",
    ),
    Right(
        "mu_law_decode",
        "a table of all levels, numpy",
        source="""
import numpy as np


def mu_law_decode(codes, levels=256):
    mu = levels - 1
    y = np.linspace(-1, 1, levels)
    table = np.copysign((np.power(1.0 + mu, np.abs(y)) - 1) / mu, y)
    return torch.from_numpy(table)[codes].float()
""",
    ),
    Right(
        "CausalConv1d",
        "padding on both sides, the right end cropped",
        source="""
class CausalConv1d(nn.Conv1d):
    def __init__(self, channels_in, channels_out, kernel_size, dilation=1):
        reach = (kernel_size - 1) * dilation
        super().__init__(channels_in, channels_out, kernel_size, dilation=dilation, padding=reach)

    def forward(self, x):
        return super().forward(x)[:, :, : x.shape[2]]
""",
    ),
    Right(
        "CausalConv1d",
        "a sum over delayed signals",
        source="""
class CausalConv1d(nn.Conv1d):
    def __init__(self, channels_in, channels_out, kernel_size, dilation=1):
        super().__init__(channels_in, channels_out, kernel_size, dilation=dilation)

    def forward(self, x):
        k, d, T = self.kernel_size[0], self.dilation[0], x.shape[2]
        y = self.bias[None, :, None].expand(len(x), -1, T)
        for j in range(k):
            delay = min((k - 1 - j) * d, T)
            late = torch.cat([x.new_zeros(*x.shape[:2], delay), x[:, :, : T - delay]], dim=2)
            y = y + torch.einsum("oi,bit->bot", self.weight[:, :, j], late)
        return y
""",
    ),
    Right("CausalConv1d", "a product of Fourier transforms", source=BY_FOURIER),
    Right("CausalConv1d", "a product of Fourier transforms", source=BY_FOURIER, check="WaveNet"),
    Right(
        "receptive_field",
        "a loop from the top",
        source="""
def receptive_field(kernel_size, dilations):
    field = 1
    for d in reversed(list(dilations)):
        field += d * kernel_size - d
    return field
""",
    ),
    Right(
        "receptive_field",
        "one product",
        source="""
def receptive_field(kernel_size, dilations):
    return (kernel_size - 1) * sum(dilations) + 1
""",
    ),
    Right(
        "ResidualBlock",
        "F.glu-like slices, the label first, tanh by a sigmoid",
        edit=(
            (
                "f, g = both.chunk(2, dim=1)",
                "half = both.shape[1] // 2\n        f, g = both[:, :half], both[:, half:]",
            ),
            (
                "z = torch.tanh(f) * torch.sigmoid(g)",
                "z = F.glu(torch.cat([2 * torch.sigmoid(2 * f) - 1, g], dim=1), dim=1)",
            ),
        ),
    ),
    Right(
        "ResidualBlock",
        "products of matrices, one way after the other",
        edit=(
            (
                "return x + self.residual(z), self.skip(z)",
                "up = torch.einsum('oi,bit->bot', self.residual.weight[..., 0], z)\n"
                "        out = x + up + self.residual.bias[:, None]\n"
                "        return [out, self.skip(z)]",
            ),
            (
                "self.condition(label)[:, :, None]",
                "self.condition.weight[label].unsqueeze(-1).expand_as(both)",
            ),
        ),
    ),
    Right(
        "WaveNet",
        "shifted vectors by cat, skips in a list, log_softmax and gather",
        edit=(
            (
                "x = F.pad(x, (1, 0))[:, :, :-1]",
                "x = torch.cat([torch.zeros_like(x[:, :, :1]), x[:, :, :-1]], dim=2)",
            ),
            (
                'each = F.cross_entropy(self(codes, label), codes, reduction="none")',
                "log_p = self(codes, label).log_softmax(dim=1)\n"
                "        each = -log_p.gather(1, codes[:, None])[:, 0]",
            ),
            ("total = 0", "skips = []"),
            ("total = total + skip", "skips.append(skip)"),
            ("self.head(total)", "self.head(torch.stack(skips).sum(0))"),
        ),
    ),
    Right(
        "WaveNet",
        "one-hot vectors times the table; the logits of the last column are never computed",
        edit=(
            (
                "x = self.embed(codes).transpose(1, 2)",
                "hot = F.one_hot(codes[:, :-1], self.levels).to(self.embed.weight.dtype)\n"
                "        x = (hot @ self.embed.weight).mT",
            ),
            ("x = F.pad(x, (1, 0))[:, :, :-1]", "x = F.pad(x, (1, 0))"),
        ),
    ),
    Right(
        "generate",
        "a list that grows, no grad inside",
        source="""
def generate(model, count, label=None, generator=None):
    rows = 1 if label is None else label.shape[0]
    drawn = []
    with torch.no_grad():
        for _ in range(count):
            past = drawn[-model.field :]
            window = torch.stack([*past, torch.zeros(rows, dtype=torch.int64)], dim=1)
            logits = model(window, label)
            drawn.append(draw_codes(logits[..., -1], generator))
    return torch.stack(drawn, dim=1)
""",
    ),
    Right(
        "QueuedConv1d",
        "a ring buffer",
        source="""
class QueuedConv1d(nn.Module):
    def __init__(self, conv):
        super().__init__()
        self.conv, self.ring, self.t = conv, None, 0

    def forward(self, x):
        k, d = self.conv.kernel_size[0], self.conv.dilation[0]
        size = (k - 1) * d
        if self.ring is None:
            self.ring = x.new_zeros(size, *x.shape[:2])
        y = F.linear(x[:, :, 0], self.conv.weight[:, :, -1], self.conv.bias)
        for back in range(1, k):
            old = self.ring[(self.t - back * d) % size]
            y = y + old @ self.conv.weight[:, :, k - 1 - back].T
        if size:
            self.ring[self.t % size] = x[:, :, 0]
        self.t += 1
        return y[:, :, None]
""",
    ),
    Right(
        "QueuedConv1d",
        "one tensor that slides, dilated convolution",
        source="""
class QueuedConv1d(nn.Module):
    def __init__(self, conv):
        super().__init__()
        self.conv = conv
        self.past = None

    def forward(self, x):
        if self.past is None:
            length = (self.conv.kernel_size[0] - 1) * self.conv.dilation[0]
            self.past = torch.zeros(x.shape[0], x.shape[1], length, dtype=x.dtype)
        window = torch.cat([self.past, x], dim=2)
        self.past = window[:, :, 1:]
        return F.conv1d(window, self.conv.weight, self.conv.bias, dilation=self.conv.dilation)
""",
    ),
    Right(
        "generate_fast",
        "a model built of blocks with queues, codes that are filled in",
        source="""
def generate_fast(model, count, label=None, generator=None):
    twin = copy.deepcopy(model).eval()
    for i in range(len(twin.blocks)):
        twin.blocks[i].conv = QueuedConv1d(twin.blocks[i].conv)
    rows = len(label) if label is not None else 1
    codes = torch.empty(rows, count, dtype=torch.int64)
    column = torch.zeros(rows, model.channels, 1, dtype=model.embed.weight.dtype)
    with torch.no_grad():
        for t in range(count):
            logits = twin.stack(column, label)
            codes[:, t] = draw_codes(logits.squeeze(2), generator)
            column = model.embed.weight[codes[:, t]].unsqueeze(2)
    return codes
""",
    ),
    Right(
        "mu_law_encode",
        "codes clamped instead of x",
        source="""
def mu_law_encode(x, levels=256):
    mu = levels - 1
    x = torch.as_tensor(x)
    y = torch.copysign(torch.log1p(mu * x.abs()) / math.log1p(mu), x)
    return ((y + 1) * mu / 2 + 0.5).floor().clamp(0, mu).to(torch.int64)
""",
    ),
    Right(
        "mu_law_decode",
        "a table",
        source="""
def mu_law_decode(codes, levels=256):
    y = torch.linspace(-1, 1, levels, dtype=torch.float64)
    table = y.sign() * ((levels ** y.abs()) - 1) / (levels - 1)
    return table.float()[torch.as_tensor(codes)]
""",
    ),
    Right(
        "WaveNet",
        "stack by reduce",
        edit=(
            (
                "        total = 0\n"
                "        for block in self.blocks:\n"
                "            x, skip = block(x, label)\n"
                "            total = total + skip\n"
                "        return self.head(total)"
            ),
            (
                "        from functools import reduce\n"
                "        def step(so_far, block):\n"
                "            y, skips = so_far\n"
                "            y, skip = block(y, label)\n"
                "            return y, [*skips, skip]\n"
                "        skips = reduce(step, self.blocks, (x, []))[1]\n"
                "        return self.head(torch.stack(skips).sum(0))"
            ),
        ),
    ),
    Right(
        "QueuedConv1d",
        "a ring that is kept twice, so that the taps lie side by side",
        source="""
class QueuedConv1d(nn.Module):
    def __init__(self, conv):
        super().__init__()
        self.conv, self.queue, self.at = conv, None, 0

    def forward(self, x):
        k, d = self.conv.kernel_size[0], self.conv.dilation[0]
        size = (k - 1) * d + 1
        if self.queue is None:
            self.queue = x.new_zeros(x.shape[0], x.shape[1], 2 * size)
        self.queue[:, :, self.at] = self.queue[:, :, self.at + size] = x[:, :, 0]
        self.at = (self.at + 1) % size
        window = self.queue[:, :, self.at : self.at + size]
        return F.conv1d(window, self.conv.weight, self.conv.bias, dilation=d)
""",
    ),
    Right(
        "generate",
        "a list of columns, and the window cut from its end",
        source="""
@torch.no_grad()
def generate(model, count, label=None, generator=None):
    rows = 1 if label is None else len(label)
    drawn, blank = [], torch.zeros(rows, dtype=torch.long)
    for _ in range(count):
        recent = drawn[max(0, len(drawn) - model.field) :]
        logits = model(torch.stack([*recent, blank], dim=1), label)
        drawn.append(draw_codes(logits[..., -1], generator=generator))
    return torch.stack(drawn, dim=1)
""",
    ),
)
