"""Right answers to lesson 05, MADE, written in other ways than the lesson's."""

from tests.banks.bank import Right

ANSWERS = (
    Right(
        "assign_degrees",
        "one unit at a time, in a tuple",
        source="""
def assign_degrees(n, hidden_sizes, generator=None):
    layers = ()
    for size in hidden_sizes:
        low = min(layers[-1]).item() if layers else 1
        units = [torch.randint(low, n, (), generator=generator) for _ in range(size)]
        layers += (torch.stack(units),)
    return layers
""",
    ),
    Right(
        "assign_degrees",
        "floors of uniform numbers",
        source="""
def assign_degrees(n, hidden_sizes, generator=None):
    result, low = [], 1
    for size in hidden_sizes:
        u = torch.rand(size, generator=generator, dtype=torch.float64)
        result.append((low + (u * (n - low)).floor()).to(torch.int64))
        low = result[-1].min().item()
    return result
""",
    ),
    Right(
        "build_masks",
        "loops over Python lists, bools",
        source="""
def build_masks(degrees, place):
    chain = [place.tolist()] + [layer.tolist() for layer in degrees]
    masks = []
    for below, above in zip(chain[:-1], chain[1:]):
        masks.append(torch.tensor([[a >= b for b in below] for a in above]))
    masks.append(torch.tensor([[o > m for m in chain[-1]] for o in chain[0]]))
    return masks
""",
    ),
    Right(
        "build_masks",
        "numpy, float64",
        source="""
import numpy as np


def build_masks(degrees, place):
    levels = [np.asarray(place)] + [np.asarray(d) for d in degrees]
    masks = [np.subtract.outer(b, a) >= 0 for a, b in zip(levels, levels[1:])]
    masks.append(np.subtract.outer(levels[0], levels[-1]) > 0)
    return [torch.from_numpy(m.astype(np.float64)) for m in masks]
""",
    ),
    Right(
        "build_masks",
        "int64 arrays in a tuple",
        edit=("return masks", "return tuple(m.long().numpy() for m in masks)"),
    ),
    Right(
        "connectivity",
        "einsum from the output down, float64",
        source="""
def connectivity(masks):
    count = torch.eye(masks[-1].shape[0], dtype=torch.float64)
    for mask in reversed(masks):
        count = torch.einsum("ok,ki->oi", count, mask.double())
    return count.round().to(torch.int64)
""",
    ),
    Right(
        "connectivity",
        "numpy's chain of products",
        source="""
import functools
import numpy as np


def connectivity(masks):
    product = functools.reduce(lambda c, m: np.asarray(m).astype(np.int64) @ c, masks[1:],
                               np.asarray(masks[0]).astype(np.int64))
    return torch.from_numpy(product)
""",
    ),
    Right(
        "MaskedLinear",
        "a module of its own, bool mask, masked_fill and matmul",
        source="""
class MaskedLinear(nn.Module):
    def __init__(self, in_features, out_features, mask, bias=True):
        super().__init__()
        plain = nn.Linear(in_features, out_features, bias=bias)
        self.weight, self.bias = plain.weight, plain.bias
        self.register_buffer("mask", mask.bool().clone())

    def forward(self, x):
        y = x @ self.weight.masked_fill(~self.mask, 0.0).T
        return y if self.bias is None else y + self.bias
""",
    ),
    Right(
        "MaskedLinear",
        "einsum over a mask in the weight's dtype",
        source="""
class MaskedLinear(nn.Linear):
    def __init__(self, in_features, out_features, mask, bias=True):
        super().__init__(in_features, out_features, bias)
        self.register_buffer("mask", mask.to(self.weight.dtype).clone())

    def forward(self, x):
        y = torch.einsum("bi,oi,oi->bo", x, self.weight, self.mask)
        return y + self.bias if self.bias is not None else y
""",
    ),
    Right(
        "MADE",
        "Sequential with tanh, softplus for nll, uniform numbers compared",
        source="""
class MADE(nn.Module):
    def __init__(self, n, hidden_sizes, place=None, generator=None):
        super().__init__()
        self.n = n
        self.hidden = assign_degrees(n, hidden_sizes, generator)
        self.place = torch.arange(1, n + 1) if place is None else place.clone()
        parts = []
        for mask in build_masks(self.hidden, self.place):
            parts += [MaskedLinear(mask.shape[1], mask.shape[0], mask), nn.Tanh()]
        self.net = nn.Sequential(*parts[:-1])

    def reorder(self, place):
        self.place = place.clone()
        masks = build_masks(self.hidden, place)
        for part in self.net:
            if isinstance(part, MaskedLinear):
                part.mask.copy_(masks.pop(0))

    def forward(self, x):
        return self.net(x)

    def nll(self, x):
        logits = self(x)
        return F.softplus(torch.where(x > 0.5, -logits, logits)).sum(-1)

    @torch.no_grad()
    def sample(self, count, generator=None):
        x = torch.full((count, self.n), 0.5)
        for turn in range(1, self.n + 1):
            d = int((self.place == turn).nonzero())
            x[:, d] = (torch.rand(count, generator=generator) < self(x)[:, d].sigmoid()).float()
        return x
""",
    ),
    Right(
        "MADE",
        "all bits anew in every pass, by noise that stays: a bit after its turn is the same again",
        edit=(
            (
                "for d in torch.argsort(self.place):  # the order: whose turn it is",
                "u = torch.rand(count, self.n, generator=generator)\n"
                "        for _ in range(self.n):",
            ),
            (
                "x[:, d] = torch.bernoulli(torch.sigmoid(self(x)[:, d]), generator=generator)",
                "x = (u < torch.sigmoid(self(x))).float()",
            ),
        ),
    ),
    Right(
        "MADE",
        "float64 inside, logsigmoid, samples as int64",
        edit=(
            (
                "for layer in self.layers[:-1]:",
                "self.double()\n        x = x.double()\n        for layer in self.layers[:-1]:",
            ),
            (
                'return F.binary_cross_entropy_with_logits(self(x), x, reduction="none").sum(1)',
                "l = self(x)\n"
                "        return -(x * F.logsigmoid(l) + (1 - x) * F.logsigmoid(-l)).sum(1)",
            ),
            ("        return x", "        return x.long()"),
        ),
    ),
    Right(
        "MADE",
        "a direct masked connection from input to output",
        edit=(
            (
                "masks = build_masks(self.degrees, place)\n",
                "masks = build_masks(self.degrees, place)\n"
                "        direct = (place[:, None] > place[None, :]).float()\n"
                "        self.direct = MaskedLinear(n, n, direct, bias=False)\n",
            ),
            (
                "layer.mask.copy_(mask)",
                "layer.mask.copy_(mask)\n"
                "        self.direct.mask.copy_((place[:, None] > place[None, :]).float())",
            ),
            (
                "for layer in self.layers[:-1]:",
                "direct = self.direct(x)\n        for layer in self.layers[:-1]:",
            ),
            ("return self.layers[-1](x)", "return self.layers[-1](x) + direct"),
        ),
    ),
    Right(
        "average_over_orders",
        "a running logaddexp",
        source="""
def average_over_orders(model, x, places):
    total = torch.tensor(-math.inf)
    for place in places:
        model.reorder(place)
        total = torch.logaddexp(total, -model.nll(x))
    return total - math.log(len(places))
""",
    ),
    Right(
        "average_over_orders",
        "the largest term taken out by hand",
        source="""
@torch.no_grad()
def average_over_orders(model, x, places):
    log_p = []
    for place in places:
        model.reorder(place)
        log_p.append(-model.nll(x).double())
    log_p = torch.stack(log_p, dim=1)
    best = log_p.max(dim=1, keepdim=True).values
    return ((log_p - best).exp().mean(dim=1).log() + best[:, 0]).float()
""",
    ),
    Right(
        "made_parameters",
        "three loops",
        source="""
def made_parameters(n, hidden_sizes):
    if n < 2:
        return 1
    below, count = list(range(1, n + 1)), 0
    for size in hidden_sizes:
        degrees = []
        for k in range(size):
            m = 1 + k % (n - 1)
            count += 1 + len([d for d in below if d <= m])
            degrees.append(m)
        below = degrees
    for d in range(1, n + 1):
        count += 1 + len([m for m in below if m < d])
    return count
""",
    ),
    Right(
        "made_parameters",
        "torch masks, and the tensor of their sum",
        source="""
def made_parameters(n, hidden_sizes):
    if n == 1:
        return 1
    degrees = [torch.arange(1, n + 1)]
    degrees += [1 + torch.arange(size) % (n - 1) for size in hidden_sizes]
    masks = [a[:, None] >= b[None, :] for b, a in zip(degrees[:-1], degrees[1:])]
    masks.append(degrees[0][:, None] > degrees[-1][None, :])
    biases = sum(hidden_sizes) + n
    return torch.stack([mask.sum() for mask in masks]).sum() + biases
""",
    ),
    Right(
        "made_parameters",
        "a histogram of the degrees",
        source="""
import numpy as np

def made_parameters(n, hidden_sizes):
    if n == 1:
        return 1
    seen = np.arange(n + 1)  # how many units below have a degree of at most m
    count = n
    for size in hidden_sizes:
        degrees = [k % (n - 1) + 1 for k in range(size)]
        count += size + int(seen[degrees].sum())
        seen = np.cumsum(np.bincount(degrees, minlength=n + 1))
    return count + int(seen[:n].sum())
""",
    ),
    Right(
        "made_parameters",
        "the masks of exercise 2, summed",
        source="""
def made_parameters(n, hidden_sizes):
    if n == 1:
        return 1
    degrees = [1 + torch.arange(size) % (n - 1) for size in hidden_sizes]
    masks = build_masks(degrees, torch.arange(1, n + 1))
    return int(sum(mask.sum() for mask in masks)) + sum(hidden_sizes) + n
""",
    ),
)
